"""Parsing of the DAGs folder, the scheduler loop and its steps, reaping."""
