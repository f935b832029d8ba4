"""``ObjectStoragePath``: paths in object stores that behave like ``pathlib.Path``.

Made of universal-pathlib, the extra ``object-storage``, over fsspec; a connection may stand before
the bucket (``s3://my_conn@bucket/key``) or be given as ``conn_id``. Providers bring the file
systems that know their connections. Source: Airflow's documentation, "Object Storage".
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit, urlunsplit

from .exceptions import AirflowOptionalProviderFeatureException

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

try:
    from upath.extensions import ProxyUPath
except ImportError:  # importing is fine without it; using is not

    class ProxyUPath:  # type: ignore[no-redef]
        """Stands in for what is not installed."""

        __slots__ = ("__wrapped__",)

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            raise AirflowOptionalProviderFeatureException(
                "ObjectStoragePath needs the package universal-pathlib: "
                "pip install 'tradewind[object-storage]'"
            )


class ObjectStoragePath(ProxyUPath):
    """A path in an object store, or in a local folder (``file://``)."""

    __slots__ = ()
    __version__: ClassVar[int] = 1
    sep: ClassVar[str] = "/"
    root_marker: ClassVar[str] = "/"

    def __init__(
        self,
        *args: Any,
        protocol: str | None = None,
        conn_id: str | None = None,
        **storage_options: Any,
    ) -> None:
        if args and isinstance(args[0], str):
            path, found = _without_connection(args[0])
            args, conn_id = (path, *args[1:]), conn_id or found
        elif args and isinstance(args[0], ObjectStoragePath):
            conn_id = conn_id or args[0].conn_id
            args = (args[0].__wrapped__, *args[1:])
        super().__init__(*args, protocol=protocol, **storage_options)
        scheme = self.__wrapped__.protocol
        if conn_id is not None or scheme in provider_filesystems():
            wrapped: Any = self.__wrapped__
            wrapped._storage_options = {**wrapped.storage_options, "conn_id": conn_id}
            wrapped._fs_cached = get_fs(scheme, conn_id, storage_options)

    @property
    def conn_id(self) -> str | None:
        """The connection by which the store is reached."""
        return self.__wrapped__.storage_options.get("conn_id")

    @property
    def protocol(self) -> str:
        """The scheme, such as ``s3``."""
        return self.__wrapped__.protocol or "file"

    @property
    def container(self) -> str:
        """The bucket or container."""
        return "" if self.protocol == "file" else self.path.lstrip("/").partition("/")[0]

    bucket = container

    @property
    def key(self) -> str:
        """The path within the bucket."""
        path = self.path.lstrip("/")
        return path if self.protocol == "file" else path.partition("/")[2]

    @property
    def namespace(self) -> str:
        """Scheme and bucket."""
        return f"{self.protocol}://{self.container}"

    def __str__(self) -> str:
        if self.protocol == "file":
            return f"file://{self.path}"
        authority = f"{self.conn_id}@" if self.conn_id else ""
        return f"{self.protocol}://{authority}{self.path.lstrip('/')}"

    def __fspath__(self) -> str:
        return str(self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ObjectStoragePath):
            return NotImplemented
        return (str(self), self.conn_id) == (str(other), other.conn_id)

    def __hash__(self) -> int:
        return hash(str(self))

    def samestore(self, other: Any) -> bool:
        """Tell whether *other* lies in the same store, reached by the same connection."""
        return (
            isinstance(other, ObjectStoragePath)
            and self.protocol == other.protocol
            and self.conn_id == other.conn_id
        )

    def checksum(self) -> Any:
        """Return a mark that changes with the content."""
        return self.fs.checksum(self.path)

    def ukey(self) -> Any:
        """Return a mark that changes when the file is replaced."""
        return self.fs.ukey(self.path)

    def size(self) -> int:
        """Return the size in bytes."""
        return int(self.fs.size(self.path))

    def sign(self, expiration: int = 100, **kwargs: Any) -> str:
        """Return an address that gives the file to whoever has it, for *expiration* seconds."""
        return str(self.fs.sign(self.path, expiration=expiration, **kwargs))

    def read_block(self, offset: int, length: int, delimiter: bytes | None = None) -> bytes:
        """Return part of the file; with *delimiter*, cut there."""
        return bytes(self.fs.read_block(self.path, offset, length, delimiter=delimiter))

    def copy(  # type: ignore[override] # Airflow calls it dst
        self, dst: Any, recursive: bool = False, **kwargs: Any
    ) -> Any:
        """Copy a file, or with *recursive* a folder; also into another store.

        Raises:
            FileNotFoundError: there is nothing at this path.
        """
        target = dst if isinstance(dst, ObjectStoragePath) else ObjectStoragePath(dst)
        if target.exists() and target.is_dir() and self.is_file():
            target = target / self.name
        if self.samestore(target):
            self.fs.copy(self.path, target.path, recursive=recursive, **kwargs)
            return target
        if self.is_dir():
            for found in self.fs.find(self.path):
                below = found[len(self.path.rstrip("/")) :].lstrip("/")
                _copy_file(self / below, target / below)
        else:
            _copy_file(self, target)
        return target

    def move(  # type: ignore[override] # as above
        self, dst: Any, recursive: bool = False, **kwargs: Any
    ) -> Any:
        """Move a file, or with *recursive* a folder; also into another store."""
        target = self.copy(dst, recursive=recursive, **kwargs)
        self.fs.rm(self.path, recursive=recursive or self.is_dir())
        return target

    def serialize(self) -> dict[str, Any]:
        """Return what an XCom keeps."""
        options = {k: v for k, v in self.__wrapped__.storage_options.items() if k != "conn_id"}
        return {"path": str(self), "conn_id": self.conn_id, "kwargs": options}

    @classmethod
    def deserialize(cls, data: Mapping[str, Any], version: int) -> ObjectStoragePath:
        """Return the path that ``serialize`` wrote.

        Raises:
            ValueError: a newer version wrote it.
        """
        if version > cls.__version__:
            raise ValueError(f"Cannot deserialize version {version} with version {cls.__version__}")
        return cls(data["path"], conn_id=data.get("conn_id"), **(data.get("kwargs") or {}))


def _copy_file(source: ObjectStoragePath, target: ObjectStoragePath) -> None:
    import shutil

    target.parent.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as read, target.open("wb") as written:
        shutil.copyfileobj(read, written)


def _without_connection(path: str) -> tuple[str, str | None]:
    """Cut the connection out of ``s3://conn@bucket/key``."""
    parts = urlsplit(path)
    conn_id, at, host = parts.netloc.rpartition("@")
    if not parts.scheme or not at:
        return path, None
    return urlunsplit(parts._replace(netloc=host)), conn_id


@functools.cache
def provider_filesystems() -> Mapping[str, Callable[..., Any]]:
    """Return scheme → function that makes the file system, of installed providers."""
    from importlib import import_module

    from .providers_manager import ProvidersManager

    found: dict[str, Callable[..., Any]] = {}
    for name in ProvidersManager().filesystem_module_names:
        module = import_module(name)
        for scheme in module.schemes:
            found.setdefault(scheme, module.get_fs)
    return found


def get_fs(
    scheme: str, conn_id: str | None = None, storage_options: Mapping[str, Any] | None = None
) -> AbstractFileSystem:
    """Return the file system of a scheme.

    Raises:
        ValueError: fsspec does not know it either.
    """
    import fsspec

    make = provider_filesystems().get(scheme)
    if make is None:
        return fsspec.filesystem(scheme or "file", **(storage_options or {}))
    if len(inspect.signature(make).parameters) < 2:
        return make(conn_id)
    return make(conn_id, dict(storage_options or {}))


def has_fs(scheme: str) -> bool:
    """Tell whether paths of a scheme can be used."""
    from fsspec.registry import known_implementations

    return scheme in provider_filesystems() or scheme in known_implementations


def attach(
    protocol: str | None = None,
    conn_id: str | None = None,
    alias: str | None = None,
    encryption_type: str | None = "",
    fs: AbstractFileSystem | None = None,
    **kwargs: Any,
) -> Any:
    """Use *fs* for all paths of a scheme, from now on in this process; return it.

    Raises:
        ValueError: neither a scheme nor a file system is given.
    """
    scheme = alias or protocol or (fs.protocol if fs is not None else None)
    if isinstance(scheme, tuple):
        scheme = scheme[0]
    if not scheme:
        raise ValueError("attach() needs a protocol or a file system")
    made = fs if fs is not None else get_fs(protocol or scheme, conn_id, kwargs)
    filesystems: Any = provider_filesystems()
    filesystems[scheme] = lambda _conn_id=None, _options=None: made
    return made


__all__ = ["ObjectStoragePath", "attach", "get_fs", "has_fs", "provider_filesystems"]
