"""Where the log of one try, or of a run's callbacks, lies under ``[logging] base_log_folder``.

Written by the runner, read by page and command line. Source: ``docs/configuration.md``,
"Logs on disk"; the layout is Airflow's.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from .configuration import conf

_FOLDERS: Final = (
    "dag_id={{ ti.dag_id }}/run_id={{ ti.run_id }}/task_id={{ ti.task_id }}/"
    "{% if ti.map_index >= 0 %}map_index={{ ti.map_index }}/{% endif %}"
)
#: Airflow's own templates of ``log_filename_template``, which it writes into each ``airflow.cfg``:
#: the layout that needs no rendering here.
AIRFLOW_TEMPLATES: Final = (
    _FOLDERS + "attempt={{ try_number }}.log",
    _FOLDERS + "attempt={{ try_number|default(ti.try_number) }}.log",
)
_UNSAFE = re.compile(r"[%\x00-\x1f/\\]")
#: Longest file name that common file systems take, less what we put before it.
_NAME_BYTES_MAX = 230


def task_log_path(
    dag_id: str,
    run_id: str,
    task_id: str,
    map_index: int,
    try_number: int,
    logical_date: datetime,
) -> str:
    """Return the path of one try's log, relative to the log folder.

    Ids are user-made: separators and control characters are escaped, so that no id leads out
    of its folder.

    Args:
        logical_date: of the run; where it has none, the instant after which it may start.

    Raises:
        ConfigurationError: ``log_filename_template`` cannot be used (``check_log_folder`` tells
            before a service starts).
    """
    ids = _safe(dag_id), _safe(run_id), _safe(task_id)
    template = conf.get("logging", "log_filename_template")
    if template and template not in AIRFLOW_TEMPLATES:
        from .log_name_template import LoggedTry, load_log_name_template

        one = LoggedTry(*ids, map_index, try_number, logical_date)
        return _below_its_folder(load_log_name_template(template).path(one))
    parts = [f"dag_id={ids[0]}", f"run_id={ids[1]}", f"task_id={ids[2]}"]
    if map_index >= 0:
        parts.append(f"map_index={map_index}")
    parts.append(f"attempt={try_number}.log")
    return "/".join(parts)


def callback_log_path(dag_id: str, run_id: str) -> str:
    """Return the path of what callbacks said that no task of the run could call itself."""
    return f"dag_id={_safe(dag_id)}/run_id={_safe(run_id)}/callbacks.log"


def _below_its_folder(path: str) -> str:
    parts = [part for part in path.split("/") if part.strip(". ")]
    return "/".join(_fitting(part.replace("\0", "")) for part in parts)


def _safe(name: str) -> str:
    return _fitting(_UNSAFE.sub(lambda found: f"%{ord(found.group()):02x}", name))


def _fitting(name: str) -> str:
    data = name.encode("utf-8", "backslashreplace")
    if len(data) <= _NAME_BYTES_MAX:
        return data.decode()
    import hashlib

    digest = hashlib.blake2b(data, digest_size=8).hexdigest()
    return data[: _NAME_BYTES_MAX - 17].decode("utf-8", "ignore") + "~" + digest
