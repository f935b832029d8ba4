"""Apache Airflow in the same environment: both are ``import airflow``, so one has to go."""

from __future__ import annotations

from importlib import metadata

from ..sdk.errors import TradewindError

#: Distributions that bring Airflow's own ``airflow`` package. Providers may stay.
AIRFLOW_DISTRIBUTIONS = ("apache-airflow-core", "apache-airflow")


class AirflowInstalled(TradewindError):
    """Apache Airflow is installed beside Tradewind."""


def refuse_airflow() -> None:
    """Refuse to start where Airflow itself is installed (architecture, section 5).

    Raises:
        AirflowInstalled: the text says how to mend it.
    """
    for name in AIRFLOW_DISTRIBUTIONS:
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
        raise AirflowInstalled(
            f"{name} {version} is installed in this environment, and its 'airflow' package is not "
            f"Tradewind's: run 'pip uninstall {name}', or use an environment of its own."
        )
