"""``FileSensor``: waits until a file is there (semantics section 6.2)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from ...sdk.base_sensor import BaseSensorOperator
from ...sdk.exceptions import AirflowException
from ..default_deferrable import is_deferrable_by_default
from ..file_search import has_file


class FileSensor(BaseSensorOperator):
    """Waits until *filepath* leads to a file, or to a folder that has one.

    Args:
        filepath: absolute, or below the ``path`` of the connection; ``glob`` wildcards allowed.
        fs_conn_id: connection whose extra ``path`` is the folder to look in (default: ``/``).
        recursive: ``**`` reaches folders of any depth.
        deferrable: wait in the triggerer, without a slot.
    """

    template_fields: Sequence[str] = ("filepath", "fs_conn_id")
    ui_color = "#91818a"

    def __init__(
        self,
        *,
        filepath: Any,
        fs_conn_id: str = "fs_default",
        recursive: bool = False,
        deferrable: bool | None = None,
        start_from_trigger: bool = False,
        trigger_kwargs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filepath = filepath
        self.fs_conn_id = fs_conn_id
        self.recursive = recursive
        self.deferrable = is_deferrable_by_default() if deferrable is None else deferrable
        # A path below the connection's folder is known in a process only: it defers there.
        is_known = isinstance(filepath, str) and Path(filepath).is_absolute()
        self.deferrable = self.deferrable or start_from_trigger
        self.start_from_trigger = start_from_trigger and is_known
        if self.start_from_trigger:
            from ...sdk.triggers import StartTriggerArgs

            self.start_trigger_args = StartTriggerArgs(
                trigger_cls=f"{_package}.triggers.file.FileTrigger",
                trigger_kwargs=trigger_kwargs
                or {
                    "filepath": filepath,
                    "recursive": recursive,
                    "poke_interval": self.poke_interval,
                },
                next_method="execute_complete",
                timeout=timedelta(seconds=self.timeout),
            )

    @property
    def path(self) -> str:
        """The absolute path, or pattern, that is looked for."""
        return str(Path(_base_path(self.fs_conn_id)) / str(self.filepath))

    def poke(self, context: Any) -> bool:
        self.log.info("Looking for %s", self.path)
        return has_file(self.path, is_recursive=self.recursive)

    def execute(self, context: Any) -> None:
        if not self.deferrable:
            super().execute(context)
        elif not self.poke(context):
            from ..triggers.file import FileTrigger

            self.defer(
                timeout=timedelta(seconds=self.timeout),
                trigger=FileTrigger(
                    self.path, recursive=self.recursive, poke_interval=self.poke_interval
                ),
                method_name="execute_complete",
            )

    def execute_complete(self, context: Any, event: Any = None) -> None:
        """Go on once the trigger has fired."""
        if not event:
            raise AirflowException(f"the trigger ended without having found {self.filepath}")
        self.log.info("Found %s", self.filepath)


_package = __name__.rpartition(".sensors.")[0]


def _base_path(conn_id: str) -> str:
    from ...sdk.connection import Connection

    return str(Connection.get(conn_id).extra_dejson.get("path") or "/")
