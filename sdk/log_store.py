"""Where logs are shipped to: ``[logging] remote_base_log_folder``, a URL that fsspec can open.

Names are Airflow's; the path below the folder is that of the local log.
"""

from __future__ import annotations

from typing import Any

from .configuration import conf
from .errors import ConfigurationError

#: Airflow's schemes that fsspec calls otherwise.
_SCHEMES = {"wasb": "abfs", "wasb-": "abfs", "wasbs": "abfs"}


def is_remote() -> bool:
    """Tell whether logs are shipped."""
    return conf.getboolean("logging", "remote_logging")


def open_log_store() -> tuple[Any, str]:
    """Return the file system that logs are shipped to, and the folder's URL in it.

    Raises:
        ConfigurationError: the URL is missing, or its file system is not installed.
    """
    folder = str(conf.get("logging", "remote_base_log_folder") or "").rstrip("/")
    scheme, separator, _ = folder.partition("://")
    if not separator:
        if not folder.startswith("/"):
            raise ConfigurationError(
                "[logging] remote_logging is on, and remote_base_log_folder is no URL:"
                f" {folder!r}; write s3://BUCKET/PATH, gs://…, or file:///PATH"
            )
        scheme = "file"
    conn_id = str(conf.get("logging", "remote_log_conn_id") or "") or None
    from .object_storage import get_fs

    name = _SCHEMES.get(scheme, scheme)
    try:
        return get_fs(name, conn_id), folder.removeprefix(f"{scheme}://") if separator else folder
    except (ImportError, ValueError) as error:
        raise ConfigurationError(
            f"[logging] remote_base_log_folder names {scheme}://, which cannot be used: {error}"
        ) from None
