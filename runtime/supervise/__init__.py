"""The runner that owns task processes: protocol server, log files, limits, verdicts."""
