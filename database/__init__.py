"""The metadata database. The only place that writes a state; sessions never leave it."""
