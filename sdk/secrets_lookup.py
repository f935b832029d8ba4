"""Where Variables and Connections are looked for, and in which order.

The user's own secrets backends, then the environment (``AIRFLOW_VAR_…``, ``AIRFLOW_CONN_…``),
then the runtime, which asks the metadata database. The first that has it wins; a backend that
fails is logged and passed over, unless it says that access is denied. Source:
``spec/semantics.md`` section 8.6.
"""

from __future__ import annotations

import json
import logging
import os
import time
from typing import Any

from . import task_runtime
from .connection import Connection
from .exceptions import AirflowConfigException, AirflowSecretsBackendAccessDenied
from .secrets_masker import is_secret_name, mask_secret

VARIABLE_PREFIX = "AIRFLOW_VAR_"
CONNECTION_PREFIX = "AIRFLOW_CONN_"

#: Connections that Airflow stores when its database is made, and that need no service.
BROUGHT_ALONG: dict[str, dict[str, Any]] = {
    "fs_default": {"conn_type": "fs", "extra": {"path": "/"}},
}

log = logging.getLogger(__name__)

#: (class path, JSON arguments) → the backend. Building one may read credentials and files.
_built: dict[tuple[str, str], Any] = {}
#: (method, key) → until when, and what a backend said: with ``[secrets] use_cache`` only.
_remembered: dict[tuple[str, str], tuple[float, Any]] = {}
#: Backends that stand before all others for a while: the files that ``dag.test()`` was given.
_first: list[Any] = []


def find_variable(key: str) -> str | None:
    """Return a variable's text, None where nobody has it. A sensitive one is masked from now on."""
    value = _from_backends("get_variable", key)
    if value is None:
        value = os.environ.get(VARIABLE_PREFIX + key.upper())
    if value is None and task_runtime.current is not None:
        value = task_runtime.current.get_variable(key)
    if value is not None and is_secret_name(key):
        mask_secret(value)
    return None if value is None else str(value)


def find_connection(conn_id: str) -> Connection | None:
    """Return a connection, None where nobody has it. Its secrets are masked from now on."""
    connection = _from_backends("get_connection", conn_id)
    if connection is None:
        text = os.environ.get(CONNECTION_PREFIX + conn_id.upper())
        if text:
            connection = Connection.from_text(text, conn_id)
    if connection is None and task_runtime.current is not None:
        fields = task_runtime.current.get_connection(conn_id)
        connection = None if fields is None else Connection.from_fields(fields)
    if connection is None and conn_id in BROUGHT_ALONG:
        connection = Connection(conn_id=conn_id, **BROUGHT_ALONG[conn_id])
    if connection is None:
        return None
    if not connection.conn_id:
        connection.conn_id = conn_id
    connection.mask_secrets()
    return connection  # type: ignore[no-any-return]


def is_shadowed_variable(key: str) -> bool:
    """Tell whether a place before the database has a variable, so that setting it is in vain."""
    if VARIABLE_PREFIX + key.upper() in os.environ:
        return True
    return _from_backends("get_variable", key) is not None


def ask_first(backend: Any) -> None:
    """Put a backend before all others, until ``stop_asking``."""
    _first.insert(0, backend)


def stop_asking(backend: Any) -> None:
    """Take back ``ask_first``."""
    _first.remove(backend)


def _from_backends(method: str, key: str) -> Any:
    for backend in _first:
        if (found := _ask(backend, method, key)) is not None:
            return found
    backends = _configured_backends()
    if not backends:
        return None
    known = _remembered.get((method, key))
    if known is not None and time.monotonic() < known[0]:
        return known[1]
    found = next((one for b in backends if (one := _ask(b, method, key)) is not None), None)
    lifetime_s = _cache_lifetime_s()
    if lifetime_s > 0:
        _remembered[method, key] = (time.monotonic() + lifetime_s, found)
    return found


def _ask(backend: Any, method: str, key: str) -> Any:
    try:
        return getattr(backend, method)(key)
    except AirflowSecretsBackendAccessDenied:
        raise
    except Exception:  # another place may still have it
        log.exception("the secrets backend %s failed", type(backend).__name__)
        return None


def _cache_lifetime_s() -> float:
    """Return for how long answers of backends are kept in this process, 0: not at all."""
    from .configuration import conf

    if not conf.getboolean("secrets", "use_cache", fallback=False):
        return 0.0
    return conf.getfloat("secrets", "cache_ttl_seconds", fallback=900.0)


def _configured_backends() -> list[Any]:
    from .configuration import conf

    names = (
        ("secrets", "backend", "backend_kwargs"),
        ("workers", "secrets_backend", "secrets_backend_kwargs"),
    )
    backends = []
    for section, name, arguments_name in names:
        path = conf.get(section, name, fallback="")
        if path:
            arguments = conf.get(section, arguments_name, fallback="") or "{}"
            backends.append(_build_backend(path, arguments))
    return backends


def _build_backend(path: str, arguments: str) -> Any:
    key = (path, arguments)
    if key not in _built:
        from .import_string import import_string

        try:
            _built[key] = import_string(path)(**json.loads(arguments))
        except (ImportError, TypeError, ValueError) as error:
            raise AirflowConfigException(
                f"the secrets backend {path!r} cannot be made: {error}"
            ) from error
    return _built[key]
