"""Where tasks run: the executor interface and its implementations."""
