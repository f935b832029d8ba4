"""Recording what a DAG file reads while it is imported, so that a change of it parses again.

Files and folders are seen by Python's audit events, environment variables by watching
``os.environ``, Variables and Connections by the runtime through which they are asked.
"""

from __future__ import annotations

import functools
import hashlib
import os
import site
import stat
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

from ... import __version__
from .dag_file import hash_content
from .new_modules import ModuleMark
from .parse_messages import Inputs

#: Larger files are known by size and time of change: reading them at every scan would cost more.
HASHED_BYTES_MAX = 16 * 1024 * 1024
INPUTS_MAX = 2000
ABSENT = "absent"

_UNSEEN = frozenset(
    {"socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.posix_spawn"}
)
_LISTINGS = frozenset({"os.listdir", "os.scandir"})
_EVENTS = _UNSEEN | _LISTINGS | {"open"}
_SYSTEM_FOLDERS = ("/proc/", "/sys/", "/dev/", "/etc/", "/usr/share/zoneinfo/")


def fingerprint_path(path: str) -> str:
    """Return what a path holds now, in a few letters. Equal fingerprints: nothing changed."""
    try:
        status = Path(path).stat()
        if stat.S_ISDIR(status.st_mode):
            names = "\0".join(sorted(entry.name for entry in os.scandir(path)))
            return f"folder:{hash_content(names.encode(errors='surrogateescape'))}"
        if not stat.S_ISREG(status.st_mode):
            return "special"
        if status.st_size > HASHED_BYTES_MAX:
            return f"large:{status.st_size}:{status.st_mtime_ns}"
        return f"file:{hash_content(Path(path).read_bytes())}"
    except OSError:
        return ABSENT


def fingerprint_value(name: str, value: str | None) -> str:
    """Return a short mark of a value that may be secret: it shows a change, and not the value.

    Four bytes are enough to notice a change, and too few to confirm a guess.
    """
    if value is None:
        return ABSENT
    return hashlib.blake2b(f"{name}\0{value}".encode(errors="replace"), digest_size=4).hexdigest()


def fingerprint_connection(conn_id: str, fields: Mapping[str, Any] | None) -> str:
    """Return the mark of a stored connection."""
    return fingerprint_value(conn_id, None if fields is None else repr(sorted(fields.items())))


class InputRecorder:
    """Notes what is read while ``recording`` is entered. One per process: hooks stay for good."""

    def __init__(self) -> None:
        self._paths: dict[str, None] = {}
        self._environment: dict[str, None] = {}
        self._unseen: dict[str, None] = {}
        self._is_on = False
        self._foreign = installed_folders()
        self.variables: dict[str, str] = {}
        self.connections: dict[str, str] = {}

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Record inside the block."""
        mark = ModuleMark()
        sys.addaudithook(self._on_event)
        self._watch_environment()
        self._is_on = True
        try:
            yield
        finally:
            self._is_on = False
            for name in mark.added():
                file = getattr(sys.modules.get(name), "__file__", None)
                if isinstance(file, str):
                    self._note_path(file)

    def inputs(self) -> Inputs:
        """Return all that was read, with fingerprints of what is there now."""
        return Inputs(
            files={path: fingerprint_path(path) for path in self._paths},
            variables=self.variables,
            connections=self.connections,
            environment={
                name: fingerprint_value(name, os.environ.get(name)) for name in self._environment
            },
            unseen=list(self._unseen),
            tradewind_version=__version__,
        )

    def _on_event(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._is_on or event not in _EVENTS or self._is_foreign_import(sys._getframe(1)):
            return
        if event == "open":
            path, mode, flags = arguments
            is_written = bool((flags or 0) & (os.O_WRONLY | os.O_RDWR))
            if not is_written and not (isinstance(mode, str) and set(mode) & set("wax+")):
                self._note_path(path)
        elif event in _LISTINGS:
            self._note_path(arguments[0] if arguments[0] is not None else ".")
        elif event in _UNSEEN and not _is_local_socket(event, arguments):
            self._unseen[event] = None

    def _is_foreign_import(self, frame: FrameType | None) -> bool:
        """Tell whether something installed, or the import system, looks for itself.

        What a library reads while it is imported itself changes only by installing; modules are
        noted when they are there. The innermost module body on the stack says who is imported.
        """
        if frame is not None and frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        while frame is not None and frame.f_code.co_name != "<module>":
            frame = frame.f_back
        return frame is not None and frame.f_code.co_filename.startswith(self._foreign)

    def _note_path(self, path: Any) -> None:
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        if not isinstance(path, str) or len(self._paths) >= INPUTS_MAX:
            return
        full = os.path.abspath(path)  # noqa: PTH100 - must not touch the disk inside a hook
        if path.startswith("<") or f"{full}/".startswith(self._foreign) or "/__pycache__" in full:
            return
        self._paths[full] = None

    def _watch_environment(self) -> None:
        mapping = type(os.environ)
        original = mapping.__getitem__

        def noted(environment: Any, key: Any) -> Any:
            is_noted = self._is_on and isinstance(key, str) and key not in self._environment
            if is_noted and not self._is_foreign_import(sys._getframe(1)):
                self._environment[key] = None
            return original(environment, key)

        mapping.__getitem__ = noted  # type: ignore[method-assign]


class ValueSource(Protocol):
    """What may be asked for while a file is imported; ``SocketRuntime`` is one."""

    def get_variable(self, key: str) -> str | None:
        """See ``TaskRuntime.get_variable``."""

    def get_connection(self, conn_id: str) -> Mapping[str, Any] | None:
        """See ``TaskRuntime.get_connection``."""


class RecordingRuntime:
    """A runtime that notes which Variables and Connections were asked for, and what came."""

    def __init__(self, runtime: ValueSource, recorder: InputRecorder) -> None:
        self._runtime = runtime
        self._recorder = recorder

    def get_variable(self, key: str) -> str | None:
        """See ``TaskRuntime.get_variable``."""
        value = self._runtime.get_variable(key)
        self._recorder.variables[key] = fingerprint_value(key, value)
        return value

    def get_connection(self, conn_id: str) -> Mapping[str, Any] | None:
        """See ``TaskRuntime.get_connection``."""
        fields = self._runtime.get_connection(conn_id)
        self._recorder.connections[conn_id] = fingerprint_connection(conn_id, fields)
        return fields

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runtime, name)


def _is_local_socket(event: str, arguments: tuple[Any, ...]) -> bool:
    return event == "socket.connect" and isinstance(arguments[1], str | bytes)


@functools.cache
def installed_folders() -> tuple[str, ...]:
    """Return folders whose content changes only by installing: not worth recording."""
    roots = {*site.getsitepackages(), site.getusersitepackages()}
    roots.update(path for name, path in sysconfig.get_paths().items() if name.endswith("lib"))
    package = Path(__file__).parents[2]
    # Not the package's root: started in a checkout, the DAGs folder is inside of it.
    roots.update(str(marker.parent) for marker in package.glob("*/__init__.py"))
    return tuple(f"{root.rstrip('/')}/" for root in roots if root) + _SYSTEM_FOLDERS
