"""The demo clinic: two facilities with their staff, rules and invented patients, and ninety days of their requests.

Everything is made up, the same each time for one seed and anchor, and written through the same actions as the real
thing. `base` enters the clinic and its people, `history` tells what happened so far.
"""
