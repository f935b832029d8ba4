"""The standard operators, one concept a file."""
