"""The lists of the workbench: which tasks a person sees, in what order, how many wait where, and what has changed.

These are the pages that are open all day on every screen of a practice, so their SQL is written out: each is one
query that begins with the person, and its plan is the same at a thousand tasks and at a million.
"""
