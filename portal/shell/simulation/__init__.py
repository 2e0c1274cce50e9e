"""A practice's month, made up: the published message mix through the real intake, rules and clocks, worked by staff of
a given speed. Every figure that comes out of here is a simulation's and says so.
"""
