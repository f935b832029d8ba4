"""``XCom`` for user code: reading and writing by key, and the class that own backends derive from.

Rules: semantics sections 8.1 and 8.2. ``[core] xcom_backend`` names a class derived from
``BaseXCom``; how values become text is all that it may change.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from . import task_runtime, xcom_serialization
from .exceptions import InvalidUseError, InvalidValueError, XComNotFound
from .xcom_arg import XCOM_RETURN_KEY

log = logging.getLogger(__name__)

#: The classes that stand for "our own" in the setting.
_OWN_BACKENDS = frozenset(
    {
        "",
        "airflow.models.xcom.BaseXCom",
        "airflow.sdk.bases.xcom.BaseXCom",
        "airflow.sdk.execution_time.xcom.BaseXCom",
    }
)


class XComResult(NamedTuple):
    """One stored XCom, as ``deserialize_value`` of a backend gets it."""

    key: str
    value: Any
    task_id: str = ""
    dag_id: str = ""
    run_id: str = ""
    map_index: int = -1


class BaseXCom:
    """Turns values into stored text and back. Derive from it, and name it in ``xcom_backend``."""

    XCOM_RETURN_KEY = XCOM_RETURN_KEY

    @staticmethod
    def serialize_value(
        value: Any,
        *,
        key: str | None = None,
        task_id: str | None = None,
        dag_id: str | None = None,
        run_id: str | None = None,
        map_index: int | None = None,
    ) -> Any:
        """Return what is stored: JSON text.

        Raises:
            XComNotStorable: the value has a type that cannot be stored.
        """
        text, _ = xcom_serialization.encode(value, task_id=task_id or "", key=key or "")
        return text

    @staticmethod
    def deserialize_value(result: Any) -> Any:
        """Return the value of a stored XCom, whose text is ``result.value``."""
        return xcom_serialization.decode(result.value)

    @staticmethod
    def purge(xcom: Any, *args: Any) -> None:
        """Remove what an own backend stored elsewhere, when the XCom is removed."""

    @classmethod
    def set(
        cls,
        key: str,
        value: Any,
        *,
        dag_id: str,
        task_id: str,
        run_id: str,
        map_index: int = -1,
        **ignored: Any,
    ) -> None:
        """Store one XCom, replacing an older one.

        Raises:
            ValueError: the key is empty or no text.
        """
        check_key(key)
        text, length = encode_xcom(
            value, dag_id=dag_id, task_id=task_id, run_id=run_id, map_index=map_index, key=key
        )
        _runtime().set_xcom(
            dag_id=dag_id,
            run_id=run_id,
            task_id=task_id,
            map_index=map_index,
            key=key,
            value=text,
            length=length,
        )

    @classmethod
    def get_value(cls, *, ti_key: Any, key: str) -> Any:
        """Return one XCom of the task instance with that key, or None."""
        return cls.get_one(
            key=key,
            dag_id=ti_key.dag_id,
            task_id=ti_key.task_id,
            run_id=ti_key.run_id,
            map_index=ti_key.map_index,
        )

    @classmethod
    def get_one(
        cls,
        *,
        key: str = XCOM_RETURN_KEY,
        dag_id: str,
        task_id: str,
        run_id: str,
        map_index: int | None = None,
        include_prior_dates: bool = False,
        **ignored: Any,
    ) -> Any:
        """Return one XCom, or None."""
        rows = _runtime().get_xcoms(
            dag_id=dag_id,
            run_id=run_id,
            task_ids=[task_id],
            key=key,
            map_indexes=None if map_index is None else [map_index],
            include_prior_dates=include_prior_dates,
        )
        return decode_xcom(rows[0], dag_id) if rows else None

    @classmethod
    def get_all(
        cls,
        *,
        key: str = XCOM_RETURN_KEY,
        dag_id: str,
        task_id: str,
        run_id: str,
        include_prior_dates: bool = False,
    ) -> list[Any]:
        """Return the XComs of all instances of a task, by map index."""
        rows = _runtime().get_xcoms(
            dag_id=dag_id,
            run_id=run_id,
            task_ids=[task_id],
            key=key,
            map_indexes=None,
            include_prior_dates=include_prior_dates,
        )
        return [decode_xcom(row, dag_id) for row in rows]


XCom = BaseXCom


class LazyXComSequence(Sequence[Any]):
    """The values that the instances of a mapped task pushed, in order of their map index.

    They are fetched when the first one is needed, and read one by one. Sending it on as an XCom
    stores a list.
    """

    is_lazy_xcom_sequence = True

    def __init__(self, *, dag_id: str, run_id: str, task_id: str, key: str) -> None:
        self._where: dict[str, Any] = {"dag_id": dag_id, "run_id": run_id, "task_ids": [task_id]}
        self._key = key
        self._rows: list[Any] | None = None

    def _fetched(self) -> list[Any]:
        if self._rows is None:
            rows = _runtime().get_xcoms(
                **self._where, key=self._key, map_indexes=None, include_prior_dates=False
            )
            self._rows = sorted(rows, key=lambda row: row.map_index)
        return self._rows

    def __len__(self) -> int:
        return len(self._fetched())

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self._decode(row) for row in self._fetched()[index]]
        return self._decode(self._fetched()[index])

    def __iter__(self) -> Iterator[Any]:
        return (self._decode(row) for row in self._fetched())

    def _decode(self, row: Any) -> Any:
        return decode_xcom(row, self._where["dag_id"])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, (str, bytes)):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> Any:
        return list, (list(self),)

    def __repr__(self) -> str:
        return f"LazyXComSequence({list(self)!r})"


def check_key(key: Any) -> None:
    """Refuse a key that is no name.

    Raises:
        ValueError: it is empty, or no text.
    """
    if not isinstance(key, str) or not key:
        raise InvalidValueError(f"an XCom key is a text that is not empty, not {key!r}")


def backend() -> type[BaseXCom]:
    """Return the class that ``[core] xcom_backend`` names.

    Raises:
        TypeError: it does not derive from ``BaseXCom``.
    """
    from .configuration import conf

    path = conf.get("core", "xcom_backend", fallback="") or ""
    if path in _OWN_BACKENDS:
        return BaseXCom
    from .import_string import import_string

    found = import_string(path)
    if not (isinstance(found, type) and issubclass(found, BaseXCom)):
        raise TypeError(f"the xcom_backend {path!r} does not derive from BaseXCom")
    return found


def purge_own(runtime: task_runtime.TaskRuntime, **instance: Any) -> None:
    """Let an own backend remove what it stored elsewhere for one task instance.

    Args:
        instance: dag_id, run_id, task_id and map_index.
    """
    chosen = backend()
    if chosen.purge is BaseXCom.purge:
        return
    rows = runtime.get_xcoms(
        dag_id=instance["dag_id"],
        run_id=instance["run_id"],
        task_ids=[instance["task_id"]],
        key=None,
        map_indexes=[instance["map_index"]],
        include_prior_dates=False,
    )
    for row in rows:
        try:
            chosen.purge(
                XComResult(
                    row.key, row.value, row.task_id, instance["dag_id"], row.run_id, row.map_index
                )
            )
        except Exception:  # what is left over costs room, and nothing else
            log.exception("the XCom backend cannot remove %s of %s", row.key, row.task_id)


def encode_xcom(
    value: Any, *, dag_id: str, task_id: str, run_id: str, map_index: int, key: str
) -> tuple[str, int | None]:
    """Return a value as the backend stores it, and its number of elements.

    Raises:
        XComNotStorable: the value, or what an own backend made of it, cannot be stored.
    """
    chosen = backend()
    if chosen is BaseXCom:
        return xcom_serialization.encode(value, task_id=task_id, key=key)
    stored = chosen.serialize_value(
        value, key=key, task_id=task_id, dag_id=dag_id, run_id=run_id, map_index=map_index
    )
    if isinstance(stored, bytes):
        stored = stored.decode("utf-8")
    text = stored if isinstance(stored, str) else json.dumps(stored)
    return text, xcom_serialization.length_of(value)


def decode_xcom(row: Any, dag_id: str) -> Any:
    """Return the value of a row of ``TaskRuntime.get_xcoms``."""
    chosen = backend()
    if chosen is BaseXCom:
        return xcom_serialization.decode(row.value)
    return chosen.deserialize_value(
        XComResult(row.key, row.value, row.task_id, dag_id, row.run_id, row.map_index)
    )


def _runtime() -> task_runtime.TaskRuntime:
    if task_runtime.current is None:
        raise InvalidUseError("XComs can be read and written while a task runs only")
    return task_runtime.current


__all__ = ["BaseXCom", "LazyXComSequence", "XCom", "XComNotFound", "XCOM_RETURN_KEY"]
