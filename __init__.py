"""Tradewind: an Airflow-compatible DAG scheduler.

The repository's root is this package; each folder beside this file is one part of the system
(see ``docs/architecture.md``). Importing it is free of side effects and cheap.
"""

__version__ = "0.1.0"

#: The Airflow release whose behaviour and import paths Tradewind stands in for.
AIRFLOW_VERSION = "3.3.2"
