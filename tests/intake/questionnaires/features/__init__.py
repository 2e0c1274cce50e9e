"""Features of forms as a table, and what a row of it says.

A row says what the pages hold for a person with these answers (`shows`), what they don't (`hides`), what is stored by
linkId (`stores`), and for the fields that are wrong a word of the sentence (`says`).
"""
