"""Facts in, a decision out: rulesets, signals in text, and why each request went where it went."""
