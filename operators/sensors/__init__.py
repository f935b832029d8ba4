"""The standard sensors, one concept a file."""
