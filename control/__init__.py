"""Every verb a person can say. CLI, page and API are three faces of it."""
