"""The Flask application: pages, health, login."""
