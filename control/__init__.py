"""Every verb a person can say; command line, page and API are three faces of it."""
