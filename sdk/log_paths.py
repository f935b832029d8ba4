"""Where the log of one try, or of a run's callbacks, lies under ``[logging] base_log_folder``.

Written by the runner, read by page and command line. Source: ``docs/configuration.md``,
"Logs on disk"; the layout is Airflow's.
"""

from __future__ import annotations

import re

_UNSAFE = re.compile(r"[%\x00-\x1f/\\]")
#: Longest file name that common file systems take, less what we put before it.
_NAME_BYTES_MAX = 230


def task_log_path(dag_id: str, run_id: str, task_id: str, map_index: int, try_number: int) -> str:
    """Return the path of one try's log, relative to the log folder.

    Ids are user-made: separators and control characters are escaped, so that no id leads out
    of its folder.
    """
    parts = [f"dag_id={_safe(dag_id)}", f"run_id={_safe(run_id)}", f"task_id={_safe(task_id)}"]
    if map_index >= 0:
        parts.append(f"map_index={map_index}")
    parts.append(f"attempt={try_number}.log")
    return "/".join(parts)


def callback_log_path(dag_id: str, run_id: str) -> str:
    """Return the path of what callbacks said that no task of the run could call itself."""
    return f"dag_id={_safe(dag_id)}/run_id={_safe(run_id)}/callbacks.log"


def _safe(name: str) -> str:
    escaped = _UNSAFE.sub(lambda found: f"%{ord(found.group()):02x}", name)
    data = escaped.encode("utf-8", "backslashreplace")
    if len(data) <= _NAME_BYTES_MAX:
        return data.decode()
    import hashlib

    digest = hashlib.blake2b(data, digest_size=8).hexdigest()
    return data[: _NAME_BYTES_MAX - 17].decode("utf-8", "ignore") + "~" + digest
