"""A module that others import, and that has nothing to be scheduled."""

WORDS = ("hello", "there")
