"""stub"""
class Computing:
    most_rounds = 2
    faults: list = []
    def __init__(self, tree): pass
    def start(self): pass
    def advance(self): return False
    def finish(self): pass
