"""The settings file, and the secrets that an install draws for itself.

Kept apart from ``configuration.py`` because most processes find no file and draw nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from .configuration_names import Name
from .errors import ConfigurationError

#: In the home folder; the first that exists is read, alone.
CONFIGURATION_FILES: Final = ("tradewind.cfg", "airflow.cfg")
#: A Fernet key has exactly 32 bytes; a signature (HS512) wants at least its hash's 64.
FERNET_KEY_BYTES: Final = 32
SIGNING_KEY_BYTES: Final = 64


def load_file(home: Path, expand: Callable[[str], str]) -> tuple[Path | None, dict[Name, str]]:
    """Read the settings file.

    TRADEWIND_CONFIG, then AIRFLOW_CONFIG name it; else it is one of ``CONFIGURATION_FILES``.

    Returns:
        The path and (section, key) -> text with ``%%`` turned into ``%``; ``(None, {})`` where
        there is no file.

    Raises:
        ConfigurationError: the file is there and is not a settings file.
    """
    named = os.environ.get("TRADEWIND_CONFIG") or os.environ.get("AIRFLOW_CONFIG")
    candidates = [Path(expand(named))] if named else [home / name for name in CONFIGURATION_FILES]
    path = _first_file(candidates)
    if path is None:
        return None, {}
    import configparser

    parser = configparser.ConfigParser(interpolation=None, strict=False, default_section="\0")
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, configparser.Error) as error:
        first_line = str(error).splitlines()[0]
        raise ConfigurationError(f"Cannot read the settings in {path}: {first_line}") from None
    return path, {
        (section.lower(), key): expand(value.replace("%%", "%"))
        for section in parser.sections()
        for key, value in parser.items(section)
    }


def _first_file(candidates: list[Path]) -> Path | None:
    for candidate in candidates:
        try:
            if candidate.is_file():
                return candidate
        except OSError as error:  # a folder of somebody else, a name that is too long
            raise ConfigurationError(
                f"Cannot look into {candidate.parent}: {error.strerror}. Run this as its owner, "
                "or set TRADEWIND_HOME to another folder."
            ) from None
    return None


def generated_secret(home: Path, name: str) -> str:
    """Return a secret of this install, drawn when it is first asked for.

    It is kept in ``{home}/secrets/{name}`` (folder 0700, file 0600) as random bytes in URL-safe
    base64, which is also the form of a Fernet key. Two processes that ask at the same time get
    the same one.

    Raises:
        ConfigurationError: the file can be neither read nor written.
    """
    import base64

    folder = home / "secrets"
    path = folder / name
    try:
        if not path.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            length = FERNET_KEY_BYTES if name == "fernet_key" else SIGNING_KEY_BYTES
            text = base64.urlsafe_b64encode(os.urandom(length)).decode()
            draft = folder / f".{name}.{os.getpid()}"
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(draft, path)  # fails where another process was first: its secret holds
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        return path.read_text().strip()
    except OSError as error:
        raise ConfigurationError(
            f"Cannot read or write the secret {path}: {error.strerror}. Make the folder writable, "
            "or set TRADEWIND_HOME to another one."
        ) from None
