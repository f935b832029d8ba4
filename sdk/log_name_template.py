"""``[logging] log_filename_template``: where task logs lie, where somebody wants them elsewhere.

A Jinja template with ``ti`` (dag_id, run_id, task_id, map_index, try_number, logical_date),
``try_number``, ``logical_date``, ``execution_date``, ``ts`` and ``ds``; or, as in Airflow 1.10, a
text with ``{dag_id}``, ``{task_id}``, ``{execution_date}``, ``{try_number}``.
Source: ``docs/configuration.md``, "Logs on disk".
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from .errors import ConfigurationError

ENDING: Final = ".log"
#: What tries differ by. Where a template leaves one out, it is added to the name: two tries that
#: wrote one file would mix their lines, and shipping one would overwrite the other.
_DISTINCT: Final = ("dag_id", "run_id", "task_id", "map_index", "try_number")


@dataclass(frozen=True, slots=True)
class LoggedTry:
    """One try, as templates know it. Ids are safe already: none leads out of a folder.

    ``logical_date``: of the run, or where it has none the instant after which it may start.
    """

    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    try_number: int
    logical_date: datetime

    @property
    def execution_date(self) -> datetime:
        """The logical date, as Airflow 1 and 2 call it."""
        return self.logical_date


#: Two tries that have nothing in common, to see what a template tells apart.
_ONE: Final = LoggedTry("d1", "r1", "t1", 1, 1, datetime(2026, 1, 1, tzinfo=UTC))
_OTHER: Final = LoggedTry("d2", "r2", "t2", 2, 2, _ONE.logical_date + timedelta(days=400))


class LogNameTemplate:
    """A template that can be used."""

    def __init__(self, text: str) -> None:
        """Compile it.

        Raises:
            ConfigurationError: it is no template, or asks for what a log's name cannot have.
        """
        try:
            self._render: Callable[[LoggedTry], str] = _compiled(text)
            missing = [name for name in _DISTINCT if not self._tells_apart(name)]
            self._missing: tuple[str, ...] = tuple(missing)
            self._render(replace(_ONE, map_index=-1))
        except Exception as error:
            said = f"{error} is not known" if isinstance(error, KeyError) else error
            raise ConfigurationError(
                f"[logging] log_filename_template cannot be used ({said}): {text}"
            ) from error

    def path(self, one: LoggedTry) -> str:
        """Return the path of a try's log, not yet cut to what a file system takes."""
        path = self._render(one)
        if not self._missing:
            return path
        added = [
            f".{name}={getattr(one, name)}"
            for name in self._missing
            if name != "map_index" or one.map_index >= 0
        ]
        stem = path.removesuffix(ENDING)
        return stem + "".join(added) + path[len(stem) :]

    def _tells_apart(self, name: str) -> bool:
        changed = {name: getattr(_OTHER, name)}
        if name == "run_id":  # two runs of one DAG differ in both
            changed["logical_date"] = _OTHER.logical_date
        return self._render(_ONE) != self._render(replace(_ONE, **changed))


@functools.lru_cache(maxsize=8)
def load_log_name_template(text: str) -> LogNameTemplate:
    """Return the template of a text; the same text is compiled once.

    Raises:
        ConfigurationError: it cannot be used.
    """
    return LogNameTemplate(text)


def _compiled(text: str) -> Callable[[LoggedTry], str]:
    if "{{" not in text and "{%" not in text:
        return lambda one: text.format(**_names(one, one.logical_date.isoformat()))
    from .template_environment import make_environment, render

    template = make_environment(None, is_native=False).from_string(text)

    def render_one(one: LoggedTry) -> str:
        return str(render(template, {**_names(one, one.logical_date), "ti": one}))

    return render_one


def _names(one: LoggedTry, logical_date: datetime | str) -> dict[str, Any]:
    names: dict[str, Any] = {name: getattr(one, name) for name in _DISTINCT}
    return {
        **names,
        "logical_date": logical_date,
        "execution_date": logical_date,
        "ts": one.logical_date.isoformat(),
        "ds": one.logical_date.date().isoformat(),
    }
