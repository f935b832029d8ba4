"""The root of our own errors. Those that carry Airflow's names are in ``exceptions.py``."""


class TradewindError(Exception):
    """Something a user can mend. Its text is one clear line that names the thing and the fix."""


class AirflowException(TradewindError):
    """Root of every error that carries an Airflow name."""

    status_code = 500


class IllegalTransition(TradewindError):
    """A state was to be changed in a way that the table of allowed transitions forbids."""


class ConfigurationError(TradewindError):
    """A setting is missing, or its value or its file cannot be read as what it stands for."""
