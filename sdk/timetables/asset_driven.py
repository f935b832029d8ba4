"""Timetables of DAGs that run when assets were updated, alone or besides a rhythm.

Only the conditions stand here; events are matched where runs are made.

Source: ``spec/semantics.md`` sections 4.1 and 4.11.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from ..exceptions import AirflowTimetableInvalid
from .base import DagRunInfo, DataInterval, TimeRestriction, Timetable
from .simple import NullTimetable


def asset_condition(assets: Any) -> Any:
    """Return one condition for what a schedule names: a collection means all of it."""
    from ..asset import AssetAll

    if isinstance(assets, Collection) and not isinstance(assets, str | bytes):
        # Sets have another order in each process; a DAG must be the same at every parse.
        members = sorted(assets, key=repr) if isinstance(assets, set | frozenset) else list(assets)
        return members[0] if len(members) == 1 else AssetAll(*members)
    return assets


class AssetTriggeredTimetable(NullTimetable):
    """Runs only when its assets were updated. What a schedule of assets becomes."""

    kind = "asset_triggered"
    description = "Triggered by assets"

    def __init__(self, assets: Any = None) -> None:
        """Take an asset, an expression of assets, or a collection (all of them).

        None: the condition is kept elsewhere, as in a serialized DAG.
        """
        self.asset_condition = None if assets is None else asset_condition(assets)

    @property
    def summary(self) -> str:
        """``Asset``, as lists show it."""
        return "Asset"


class AssetOrTimeSchedule(Timetable):
    """Runs when its assets were updated, and besides as another timetable says."""

    kind = "asset_or_time"

    def __init__(self, *, timetable: Timetable, assets: Any = None, datasets: Any = None) -> None:
        """Take the timetable, and assets as ``AssetTriggeredTimetable`` does.

        Args:
            datasets: Airflow 2's name of *assets*.
        """
        self.timetable = timetable
        named = datasets if assets is None else assets
        self.asset_condition = None if named is None else asset_condition(named)
        self.description = f"Triggered by assets or {timetable.description}"
        self.periodic = timetable.periodic
        self.can_be_scheduled = timetable.can_be_scheduled
        self.active_runs_limit = timetable.active_runs_limit

    @property
    def summary(self) -> str:
        """``Asset or`` and the summary of the other timetable."""
        return f"Asset or {self.timetable.summary}"

    def validate(self) -> None:
        """Check the other timetable.

        Raises:
            AirflowTimetableInvalid: it is not valid, or waits for assets itself.
        """
        if isinstance(self.timetable, AssetTriggeredTimetable | AssetOrTimeSchedule):
            raise AirflowTimetableInvalid("cannot nest asset timetables")
        self.timetable.validate()

    def serialize(self) -> dict[str, Any]:
        """Return the other timetable; the assets stand in the serialized DAG."""
        from .registry import dump_timetable

        return {"timetable": dump_timetable(self.timetable)}

    @classmethod
    def deserialize(cls, data: Mapping[str, Any]) -> AssetOrTimeSchedule:
        """Build it from the other timetable, without assets."""
        from .registry import load_timetable

        return cls(timetable=load_timetable(data["timetable"]))

    def infer_manual_data_interval(self, *, run_after: datetime) -> DataInterval:
        """Ask the other timetable."""
        return self.timetable.infer_manual_data_interval(run_after=run_after)

    def next_dagrun_info(
        self,
        *,
        last_automated_data_interval: DataInterval | None,
        restriction: TimeRestriction,
    ) -> DagRunInfo | None:
        """Ask the other timetable."""
        self.timetable.dialect = self.dialect
        return self.timetable.next_dagrun_info(
            last_automated_data_interval=last_automated_data_interval, restriction=restriction
        )
