"""Folder and names of the logs, looked at before a service starts that writes there."""

from __future__ import annotations

import os
from pathlib import Path

from ...sdk.configuration import conf
from ...sdk.errors import ConfigurationError
from ...sdk.log_name_template import load_log_name_template


def check_log_folder() -> None:
    """Make sure that logs can be written.

    Raises:
        ConfigurationError: they cannot.
    """
    template = conf.get("logging", "log_filename_template")
    if template:
        load_log_name_template(template)
    folder = Path(conf.get("logging", "base_log_folder"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_writable = os.access(folder, os.W_OK | os.X_OK)
    except OSError as error:
        why = "it is no folder" if folder.is_file() else error.strerror or error
        raise ConfigurationError(
            f"Logs cannot be written to {folder} ([logging] base_log_folder): {why}"
        ) from None
    if not is_writable:
        raise ConfigurationError(
            f"Logs cannot be written to {folder} ([logging] base_log_folder): permission denied"
        )
