"""Timetables: when the runs of a DAG are due, and which stretch of time each covers."""
