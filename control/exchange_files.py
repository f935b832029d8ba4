"""Files that carry variables, connections, pools and users from one install to another."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from .input import InvalidInput

#: Nobody has so many settings; somebody may have the wrong file.
FILE_BYTES_MAX = 20 * 2**20


def read_text(path: str) -> str:
    """Return the text of a file.

    Raises:
        InvalidInput: it is missing, or cannot be read.
    """
    try:
        if Path(path).stat().st_size > FILE_BYTES_MAX:
            raise InvalidInput(f"{path} is larger than {FILE_BYTES_MAX // 2**20} MB")
        return Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InvalidInput(f"There is no file {path}") from None
    except (OSError, ValueError) as error:
        raise InvalidInput(f"Cannot read {path}: {error}") from None


def read_json(path: str) -> Any:
    """Return the decoded JSON of a file.

    Raises:
        InvalidInput: it is missing, or is not JSON.
    """
    try:
        return json.loads(read_text(path))
    except ValueError as error:
        raise InvalidInput(f"{path} is not valid JSON: {error}") from None


def read_entries(path: str) -> dict[str, Any]:
    """Return name -> value of a ``.json``, ``.yaml``, ``.yml`` or ``.env`` file (``NAME=value``).

    Raises:
        InvalidInput: the file is missing, of another kind, or holds no mapping.
    """
    kind = Path(path).suffix.lower()
    if kind in (".yaml", ".yml"):
        import yaml

        try:
            entries = yaml.safe_load(read_text(path))
        except yaml.YAMLError as error:
            raise InvalidInput(f"{path} is not valid YAML: {str(error).splitlines()[0]}") from None
    elif kind == ".env" or Path(path).name == ".env":
        entries = _read_env(path)
    else:
        entries = read_json(path)
    if entries is None:
        return {}
    if not isinstance(entries, dict):
        raise InvalidInput(f"{path} must hold one object of names and values")
    return {str(key): value for key, value in entries.items()}


def _read_env(path: str) -> dict[str, str]:
    entries: dict[str, str] = {}
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise InvalidInput(f"{path} line {number} is not NAME=value")
        if name.strip() in entries:
            raise InvalidInput(f"{path} line {number} names {name.strip()} again")
        entries[name.strip()] = value.strip()
    return entries


def write_text(path: str, text: str) -> None:
    """Write a file that only the owner can read (it may hold secrets); ``-`` is stdout.

    Raises:
        InvalidInput: it cannot be written.
    """
    if path == "-":
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    try:
        target = Path(path)
        target.touch(mode=0o600)
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"Cannot write {path}: {error.strerror}") from None
