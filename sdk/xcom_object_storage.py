"""``XComObjectStorageBackend``: large XComs in an object store, small ones in the database.

Settings in ``[common.io]``: ``xcom_objectstorage_path`` (where), ``…_threshold`` (bytes of JSON
from which on; -1: never, 0: always) and ``…_compression`` (a name that fsspec knows). The database
then holds the path. The provider common-io answers for itself where it is installed.
Source: ``spec/semantics.md`` section 8.2.
"""

from __future__ import annotations

import uuid
from typing import Any

from . import xcom_serialization
from .configuration import conf
from .xcom import BaseXCom

SECTION = "common.io"


class XComObjectStorageBackend(BaseXCom):
    """Named by ``[core] xcom_backend``."""

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
        text, _ = xcom_serialization.encode(value, task_id=task_id or "", key=key or "")
        threshold = conf.getint(SECTION, "xcom_objectstorage_threshold", fallback=-1)
        data = text.encode()
        if threshold < 0 or len(data) < threshold:
            return text
        path = base_path() / str(dag_id) / str(run_id) / str(task_id)
        path.mkdir(parents=True, exist_ok=True)
        compression = _compression()
        path = path / f"{uuid.uuid4()}{_suffix(compression)}"
        with path.open("wb", compression=compression) as file:
            file.write(data)
        return xcom_serialization.encode(str(path), task_id=task_id or "", key=key or "")[0]

    @staticmethod
    def deserialize_value(result: Any) -> Any:
        value = xcom_serialization.decode(result.value)
        path = _path_of(value)
        if path is None:
            return value
        try:
            with path.open("rb", compression="infer") as file:
                return xcom_serialization.decode(file.read())
        except FileNotFoundError:
            return value

    @staticmethod
    def purge(xcom: Any, *args: Any) -> None:
        path = _path_of(xcom_serialization.decode(xcom.value))
        if path is not None:
            path.unlink(missing_ok=True)


def base_path() -> Any:
    """Return the folder of all values.

    Raises:
        ConfigurationError: the setting is missing.
    """
    from .object_storage import ObjectStoragePath

    return ObjectStoragePath(conf.get_mandatory_value(SECTION, "xcom_objectstorage_path"))


def _path_of(value: Any) -> Any:
    """Return the path that a stored value names, None where it is a value itself."""
    if not isinstance(value, str) or not conf.get(
        SECTION, "xcom_objectstorage_path", fallback=None
    ):
        return None
    base = str(base_path()).rstrip("/")
    if not value.startswith(f"{base}/") or ".." in value.split("/"):
        return None
    from .object_storage import ObjectStoragePath

    return ObjectStoragePath(value)


def _compression() -> str | None:
    return conf.get(SECTION, "xcom_objectstorage_compression", fallback=None) or None


def _suffix(compression: str | None) -> str:
    if compression is None:
        return ""
    from fsspec.utils import compressions

    for suffix, name in compressions.items():
        if name == compression:
            return f".{suffix}"
    raise ValueError(f"Compression {compression} is not supported. Make sure it is installed.")
