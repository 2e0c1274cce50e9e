"""Figures about the work: what they are made of. Pure arithmetic, without a database."""
