"""The ``tradewind`` command, also installed as ``airflow``."""
