"""``airflow.sdk.lineage``: where hooks report what they read and wrote.

Airflow collects that for plugins that bring a lineage reader, and for nobody else; Tradewind has
no such readers, so the collector keeps nothing, as Airflow's does without them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class AssetLineageInfo:
    """One asset that a hook used, and how often."""

    asset: Any
    count: int
    context: Any = None


@dataclass(frozen=True)
class HookLineage:
    """What hooks reported."""

    inputs: list[AssetLineageInfo] = field(default_factory=list)
    outputs: list[AssetLineageInfo] = field(default_factory=list)
    extra: list[Any] = field(default_factory=list)


class NoOpCollector:
    """Takes every report, and keeps none."""

    @property
    def has_collected(self) -> bool:
        """Whether anything was kept: never."""
        return False

    @property
    def collected_assets(self) -> HookLineage:
        """What was kept: nothing."""
        return HookLineage()

    def create_asset(self, *args: Any, **kwargs: Any) -> None:
        """Make no asset."""

    def add_input_asset(
        self, context: Any, asset_extra: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> None:
        """Hear of an asset that was read."""

    def add_output_asset(
        self, context: Any, asset_extra: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> None:
        """Hear of an asset that was written."""

    def add_extra(self, context: Any, key: str, value: Any) -> None:
        """Hear of something else."""


class HookLineageReader:
    """Reads the collector, in Airflow's plugins."""

    def __init__(self, **kwargs: Any) -> None:
        self.lineage_collector = get_hook_lineage_collector()


def get_hook_lineage_collector() -> NoOpCollector:
    """Return the collector of this process."""
    return _collector


_collector = NoOpCollector()
