"""The standard triggers: what deferred tasks wait for."""
