"""Settings: where a value comes from, and how it is read.

The first source that has a value wins: the environment (``TRADEWIND__SECTION__KEY``, then
``AIRFLOW__SECTION__KEY``, each with its ``_CMD`` and ``_SECRET`` forms for secret options), the
file (``tradewind.cfg`` in the home folder, else ``airflow.cfg``), the same under each old name of
the option, and last the built-in default. Source: ``docs/configuration.md``, section 1.

Every process of ours imports this module, so it imports little, and reads nothing until asked.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from .configuration_defaults import DEFAULTS
from .configuration_file import CONFIGURATION_FILES, generated_secret, load_file
from .configuration_names import FOREIGN_SECTIONS, MOVED, SENSITIVE, UNUSED, Name
from .errors import ConfigurationError
from .home_folder import default_dags_folder, expand, home, home_in_url, is_checkout

PREFIXES: Final = ("TRADEWIND", "AIRFLOW")
HIDDEN: Final = "< hidden >"
_TRUE: Final = frozenset({"true", "t", "1"})
_FALSE: Final = frozenset({"false", "f", "0"})
_GENERATED: Final = {
    "{FERNET_KEY}": "fernet_key",
    "{SECRET_KEY}": "secret_key",
    "{JWT_SECRET_KEY}": "jwt_secret",
}
_UNSET: Final = object()
_Number = TypeVar("_Number", int, float)


def dags_folder() -> Path:
    """Return the folder of DAG files: ``[core] dags_folder``, absolute.

    Unset, it is ``dags/`` of the checkout that the process was started in where no home is named,
    else ``{home}/dags``.
    """
    return Path(conf.get("core", "dags_folder")).absolute()


def reset() -> None:
    """Forget everything read so far; the next look-up reads files and environment again."""
    conf.reset()


class Configuration:
    """All settings, under Airflow's method names. Use the one instance, ``conf``.

    Look-ups read the environment each time and the file once; they never write, but for the
    secrets that an install draws for itself when it first needs them.
    """

    def __init__(self) -> None:
        self._file: dict[Name, str] | None = None
        self._file_path: Path | None = None
        self._set: dict[Name, str] = {}
        self._looked_up: dict[str, str] = {}  # results of _CMD and _SECRET

    def reset(self) -> None:
        """Forget the file, values given to ``set``, and looked-up secrets."""
        self.__init__()  # type: ignore[misc]

    # -- reading ------------------------------------------------------------------------------

    def get(self, section: str, key: str, fallback: Any = _UNSET, **_: Any) -> Any:
        """Return the value of one option as text.

        Args:
            fallback: returned where neither a source nor a default has a value. It may be of
                any type and comes back as it is.

        Raises:
            ConfigurationError: the option is unknown, has no value, and no fallback was given.
        """
        value, _source = self.find(section, key)
        if value is not None:
            return value
        if not _is_known(*_canonical(section, key)):
            value = _default_of_provider(section, key)
            if value is not None:
                return value
        if fallback is not _UNSET:
            return fallback
        section, key = _canonical(section, key)
        if key in DEFAULTS.get(section, {}):
            return ""
        raise _error(f"There is no option {key} in section [{section}]")

    def getboolean(self, section: str, key: str, fallback: Any = _UNSET, **_: Any) -> bool:
        """Return true for true, t, 1 and false for false, f, 0, in any case.

        Raises:
            ConfigurationError: the value is neither.
        """
        value = self.get(section, key, fallback)
        if not isinstance(value, str):
            return bool(value)
        word = value.split("#", 1)[0].strip().lower()
        if word in _TRUE:
            return True
        if word in _FALSE:
            return False
        raise self._unreadable(section, key, value, "true or false")

    def getint(self, section: str, key: str, fallback: Any = _UNSET, **_: Any) -> int:
        """Return a whole number. Raises ConfigurationError where the value is none."""
        return self._number(section, key, fallback, int, "a whole number")

    def getfloat(self, section: str, key: str, fallback: Any = _UNSET, **_: Any) -> float:
        """Return a number. Raises ConfigurationError where the value is none."""
        return self._number(section, key, fallback, float, "a number")

    def getlist(
        self, section: str, key: str, fallback: Any = _UNSET, delimiter: str = ",", **_: Any
    ) -> list[str]:
        """Return the parts between delimiters, stripped, without empty ones."""
        value = self.get(section, key, fallback)
        if not isinstance(value, str):
            return list(value) if value is not None else []
        return [part.strip() for part in value.split(delimiter) if part.strip()]

    def getjson(self, section: str, key: str, fallback: Any = _UNSET, **_: Any) -> Any:
        """Return the decoded JSON. Raises ConfigurationError where the value is not JSON."""
        import json

        value = self.get(section, key, fallback)
        if not isinstance(value, str):
            return value
        if not value.strip():
            return None if fallback is _UNSET else fallback
        try:
            return json.loads(value)
        except ValueError as error:
            raise self._unreadable(section, key, value, f"JSON ({error})") from None

    def getimport(self, section: str, key: str, **_: Any) -> Any:
        """Return the object at the import path that the value names; None where it is empty."""
        path = self.get(section, key, None)
        if not path:
            return None
        try:
            return _import(path)
        except (ImportError, AttributeError, ValueError) as error:
            raise self._unreadable(
                section, key, path, f"an import path that works ({error})"
            ) from None

    def getsection(self, section: str) -> dict[str, Any] | None:
        """Return one section with defaults, numbers and booleans as such; None if unknown."""
        values = {key: self.get(section, key, None) for key in self._keys(section)}
        return {key: _typed(value) for key, value in values.items()} or None

    def get_mandatory_value(self, section: str, key: str, **kwargs: Any) -> str:
        """Return the value. Raises ConfigurationError where it is empty."""
        value = self.get(section, key, **kwargs)
        if not value:
            raise _error(f"[{section}] {key} must be set")
        return str(value)

    def has_option(self, section: str, key: str, **_: Any) -> bool:
        """Tell whether a source or a default has a value for this option."""
        return self.find(section, key)[0] is not None

    def has_section(self, section: str) -> bool:
        """Tell whether any option of this section is known or set."""
        return bool(self._keys(section))

    def sections(self) -> list[str]:
        """Return the names of all sections, known ones first."""
        found = [section for section, _ in self._written()]
        return list(dict.fromkeys([*DEFAULTS, *found]))

    def options(self, section: str) -> list[str]:
        """Return the names of the options of one section."""
        return list(self._keys(section))

    def items(self, section: str) -> list[tuple[str, str]]:
        """Return the options of one section with their values as text."""
        return [(key, self.get(section, key, "")) for key in self._keys(section)]

    def set(self, section: str, key: str, value: str) -> None:
        """Set a value for this process, as if it stood in the file."""
        self._set[_canonical(section, key)] = str(value)

    def find(self, section: str, key: str) -> tuple[str | None, str]:
        """Return the value of one option and its source, ``(None, "")`` where there is none.

        A source is "environment", "command", "secret", "process", the file's name, or "default".
        """
        section, key = _canonical(section, key)
        for name in (section, key), *_OLD_NAMES.get((section, key), ()):
            for look in self._from_environment, self._from_file:
                value, source = look(*name)
                if value is not None:
                    return value, source
        default = DEFAULTS.get(section, {}).get(key, (None, ""))[0]
        return (None, "") if default is None else (self._fill(default), "default")

    # -- showing ------------------------------------------------------------------------------

    def as_dict(
        self,
        display_source: bool = False,
        display_sensitive: bool = False,
        **_: Any,
    ) -> dict[str, dict[str, Any]]:
        """Return section -> key -> value, or (value, source); secrets hidden unless asked for."""
        shown: dict[str, dict[str, Any]] = {}
        for section in self.sections():
            for key in self._keys(section):
                if (section, key) in SENSITIVE and not display_sensitive:
                    default = DEFAULTS.get(section, {}).get(key, (None, ""))[0]
                    value, source = HIDDEN, self._source_only(section, key, default)
                else:
                    found, source = self.find(section, key)
                    value = "" if found is None else found
                shown.setdefault(section, {})[key] = (value, source) if display_source else value
        return shown

    def description(self, section: str, key: str) -> str:
        """Return what an option means, an empty text where we do not know it."""
        return DEFAULTS.get(section, {}).get(key, ("", ""))[1]

    def unknown(self) -> list[Name]:
        """Return the options that are set and that neither we nor any Airflow release knows."""
        return [
            (section, key)
            for section, key in dict.fromkeys(self._written())
            if (section, key) not in MOVED
            and section not in FOREIGN_SECTIONS
            and not _is_known(section, key)
        ]

    def moved(self) -> dict[Name, Name]:
        """Return the options that are set under an old name, and the newest name of each."""
        return {name: MOVED[name] for name in self._written() if name in MOVED}

    def notices(self, named_max: int | None = None) -> list[str]:
        """Return one line for all unknown options that are set, and one for all old names.

        Args:
            named_max: how many options a line names before it only counts the others; None: all.
        """
        unknown = [f"[{section}] {key}" for section, key in self.unknown()]
        old = [
            f"[{section}] {key} is now [{new[0]}] {new[1]}"
            for (section, key), new in self.moved().items()
        ]
        lines = []
        if unknown:
            lines.append(
                "These settings are not known and change nothing: " + _some(unknown, named_max)
            )
        if old:
            lines.append(
                "These settings have new names (the old ones work): " + _some(old, named_max)
            )
        return lines

    @property
    def file_path(self) -> Path | None:
        """The file that settings are read from, None where there is none."""
        self._load()
        return self._file_path

    # -- inside -------------------------------------------------------------------------------

    def _load(self) -> Mapping[Name, str]:
        if self._file is None:
            self._file_path, self._file = load_file(home(), expand)
        return self._file

    def _from_environment(self, section: str, key: str) -> tuple[str | None, str]:
        name = f"{section.replace('.', '_')}__{key}".upper()
        for prefix in PREFIXES:
            full = f"{prefix}__{name}"
            value = os.environ.get(full)
            if value is not None:
                return self._fill(expand(value)), "environment"
            if _canonical(section, key) not in SENSITIVE:
                continue
            command, secret = os.environ.get(full + "_CMD"), os.environ.get(full + "_SECRET")
            if command is not None:
                return self._run(command), "command"
            if secret is not None:
                return self._ask_secrets_backend(secret), "secret"
        return None, ""

    def _from_file(self, section: str, key: str) -> tuple[str | None, str]:
        if (section, key) in self._set:
            return self._set[section, key], "process"
        values = self._load()
        source = self._file_path.name if self._file_path else ""
        value = values.get((section, key))
        if value is not None:
            return self._fill(value), source
        if _canonical(section, key) in SENSITIVE:
            command, secret = (
                values.get((section, key + "_cmd")),
                values.get((section, key + "_secret")),
            )
            if command is not None:
                return self._run(command), "command"
            if secret is not None:
                return self._ask_secrets_backend(secret), "secret"
        return None, ""

    def _run(self, command: str) -> str:
        """Return what *command* prints. It is split like a shell would, and run without one."""
        if command not in self._looked_up:
            import shlex
            import subprocess

            try:
                done = subprocess.run(
                    shlex.split(command), capture_output=True, text=True, check=True, timeout=60
                )
            except (OSError, ValueError, subprocess.SubprocessError) as error:
                raise ConfigurationError(f"Cannot run {command!r} for a setting: {error}") from None
            self._looked_up[command] = done.stdout
        return self._looked_up[command].rstrip("\n")

    def _ask_secrets_backend(self, name: str) -> str | None:
        if name not in self._looked_up:
            backend = self.getimport("secrets", "backend")
            if backend is None:
                raise ConfigurationError(
                    f"A setting names the secret {name!r}, but [secrets] backend is not set"
                )
            kwargs = self.getjson("secrets", "backend_kwargs", fallback=None) or {}
            found = backend(**kwargs).get_config(name)
            if found is None:
                raise ConfigurationError(f"The secrets backend has no configuration {name!r}")
            self._looked_up[name] = str(found)
        return self._looked_up[name]

    def _fill(self, value: str) -> str:
        if "{" not in value:
            return value
        if value in _GENERATED:
            return generated_secret(home(), _GENERATED[value])
        if value == "{DAGS_FOLDER}":
            return str(default_dags_folder())
        folder = home_in_url() if "://" in value else str(home())
        return value.replace("{TRADEWIND_HOME}", folder).replace("{AIRFLOW_HOME}", folder)

    def _number(
        self,
        section: str,
        key: str,
        fallback: Any,
        convert: Callable[[str], _Number],
        what: str,
    ) -> _Number:
        value = self.get(section, key, fallback)
        if not isinstance(value, str):
            return value  # type: ignore[no-any-return]  # the caller's own fallback
        try:
            return convert(value.split("#", 1)[0].strip())
        except ValueError:
            raise self._unreadable(section, key, value, what) from None

    def _unreadable(self, section: str, key: str, value: str, what: str) -> ConfigurationError:
        shown = HIDDEN if _canonical(section, key) in SENSITIVE else repr(value)
        _value, source = self.find(section, key)
        return _error(f"[{section}] {key} must be {what}, not {shown} (from {source})")

    def _source_only(self, section: str, key: str, default: str | None) -> str:
        """Tell the source of a secret without running commands or drawing keys."""
        name = f"{section.replace('.', '_')}__{key}".upper()
        forms = [f"{p}__{name}{end}" for p in PREFIXES for end in ("", "_CMD", "_SECRET")]
        if any(form in os.environ for form in forms):
            return "environment"
        if any((section, key + end) in self._load() for end in ("", "_cmd", "_secret")):
            return self._file_path.name if self._file_path else ""
        return "default" if default else ""

    def _keys(self, section: str) -> dict[str, None]:
        written = (key for other, key in self._written() if other == section)
        return dict.fromkeys([*DEFAULTS.get(section, {}), *written])

    def _written(self) -> Iterator[Name]:
        """Yield the names of all options that the environment or the file sets, as written."""
        for variable in os.environ:
            prefix, separator, rest = variable.partition("__")
            section, separator_2, key = rest.partition("__")
            if prefix in PREFIXES and separator and separator_2 and section and key:
                yield _base_name(section.lower(), key.lower())
        for section, key in self._load():
            yield _base_name(section, key)
        yield from self._set


def _error(text: str) -> ConfigurationError:
    """Return the kind of ConfigurationError that DAG files catch by Airflow's name."""
    from .exceptions import AirflowConfigException  # late: most processes raise none

    return AirflowConfigException(text)


def _base_name(section: str, key: str) -> Name:
    for ending in "_cmd", "_secret":
        base = (section, key.removesuffix(ending))
        if key.endswith(ending) and _canonical(*base) in SENSITIVE:
            return base
    return section, key


def _some(named: Sequence[str], named_max: int | None) -> str:
    left = 0 if named_max is None else max(0, len(named) - named_max)
    more = f", and {left} more; 'config lint' names them" if left else ""
    return ", ".join(named[: len(named) - left]) + more


def _default_of_provider(section: str, key: str) -> str | None:
    from .providers_manager import default_settings  # late: it looks at all installed packages

    return default_settings().get((section.lower(), key.lower()))


def _is_known(section: str, key: str) -> bool:
    return key in DEFAULTS.get(section, {}) or (section, key) in UNUSED


def _canonical(section: str, key: str) -> Name:
    name = (section.lower(), key.lower())
    return MOVED.get(name, name)


def _typed(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if value.lower() in ("true", "false"):
        return value.lower() == "true"
    for convert in int, float:
        try:
            return convert(value)
        except ValueError:
            continue
    return value


def _import(path: str) -> Any:
    import importlib

    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def _invert(moved: Mapping[Name, Name]) -> dict[Name, tuple[Name, ...]]:
    old_names: dict[Name, tuple[Name, ...]] = {}
    for old, new in moved.items():
        old_names[new] = (*old_names.get(new, ()), old)
    return old_names


_OLD_NAMES: Final = _invert(MOVED)
conf: Final = Configuration()

__all__ = [
    "CONFIGURATION_FILES",
    "Configuration",
    "ConfigurationError",
    "conf",
    "dags_folder",
    "home",
    "is_checkout",
    "reset",
]
