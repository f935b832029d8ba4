"""``ProvidersManager``: what installed provider packages say of themselves.

Each provider describes itself in its entry point ``apache_airflow_provider``; nothing of it is
imported but that description. The same object answers at both of Airflow's paths,
``airflow.providers_manager`` and ``airflow.sdk.providers_manager_runtime``.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from typing import Any, NamedTuple

from .exceptions import AirflowException
from .import_string import import_string

log = logging.getLogger(__name__)

GROUP = "apache_airflow_provider"


class ProviderInfo(NamedTuple):
    """One installed provider package."""

    version: str
    data: dict[str, Any]

    @property
    def package_name(self) -> str:
        """The name of the distribution."""
        return str(self.data.get("package-name", ""))


class HookInfo(NamedTuple):
    """The hook for one type of connection. Nothing of it was imported yet."""

    hook_class_name: str
    connection_id_attribute_name: str
    package_name: str
    hook_name: str
    connection_type: str
    connection_testable: bool = False
    dialects: list[str] = []  # noqa: RUF012 - never changed


class DialectInfo(NamedTuple):
    """One dialect of SQL, for ``DbApiHook``."""

    name: str
    dialect_class_name: str
    provider_name: str


class HookClass(NamedTuple):
    """A hook, and the name of its argument that takes the id of a connection."""

    hook: Any
    connection_id_name: str


@functools.cache
def providers() -> Mapping[str, ProviderInfo]:
    """Return package name → description, for all installed providers, in order of names."""
    found: dict[str, ProviderInfo] = {}
    for entry_point in entry_points(group=GROUP):
        try:
            data = dict(entry_point.load()())
        except Exception:  # one broken package must not take the others with it
            log.exception("the provider %s cannot be read", entry_point.value)
            continue
        version = entry_point.dist.version if entry_point.dist is not None else ""
        found.setdefault(str(data["package-name"]), ProviderInfo(version, data))
    return dict(sorted(found.items()))


def described(kind: str) -> Iterator[tuple[str, Any]]:
    """Yield (package name, entry) of what providers list under *kind*."""
    for name, provider in providers().items():
        for entry in provider.data.get(kind) or ():
            yield name, entry


@functools.cache
def hooks() -> Mapping[str, HookInfo]:
    """Return type of connection → its hook."""
    found: dict[str, HookInfo] = {}
    for package, entry in described("connection-types"):
        conn_type = entry["connection-type"]
        found.setdefault(
            conn_type,
            HookInfo(
                hook_class_name=entry["hook-class-name"],
                connection_id_attribute_name=f"{conn_type}_conn_id",
                package_name=package,
                hook_name=entry.get("hook-name") or conn_type,
                connection_type=conn_type,
            ),
        )
    return found


def hook_class(conn_type: str) -> HookClass:
    """Return the hook that serves a type of connection.

    Raises:
        AirflowException: no installed provider serves it.
    """
    info = hooks().get(conn_type)
    if info is None:
        raise AirflowException(
            f"no installed provider package has a hook for connections of type {conn_type!r}"
        )
    hook = import_string(info.hook_class_name)
    return HookClass(hook, getattr(hook, "conn_name_attr", info.connection_id_attribute_name))


@functools.cache
def decorators() -> Mapping[str, str]:
    """Return the ``@task.<name>`` of providers: name → dotted path."""
    return {entry["name"]: entry["class-name"] for _, entry in described("task-decorators")}


@functools.cache
def default_settings() -> Mapping[tuple[str, str], str]:
    """Return the defaults of settings that providers bring; names in lower case."""
    found: dict[tuple[str, str], str] = {}
    for provider in providers().values():
        for section, about in (provider.data.get("config") or {}).items():
            for key, option in (about.get("options") or {}).items():
                default = option.get("default")
                if default is not None:
                    # They are written for str.format, as Airflow's own are.
                    text = str(default).replace("{{", "{").replace("}}", "}")
                    found[section.lower(), key.lower()] = text
    return found


class ProvidersManager:
    """Airflow's way of asking; there is one, whoever makes it."""

    _instance: ProvidersManager | None = None

    def __new__(cls) -> ProvidersManager:
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance

    @staticmethod
    def initialized() -> bool:
        """Whether everything was read: always, since it is read when it is asked for."""
        return True

    def __getattr__(self, name: str) -> Any:
        if name.startswith("initialize_providers"):
            return lambda: None
        raise AttributeError(f"ProvidersManager has no {name!r}")

    @property
    def providers(self) -> dict[str, ProviderInfo]:
        """Package name → version and description."""
        return dict(providers())

    @property
    def hooks(self) -> dict[str, HookInfo]:
        """Type of connection → its hook."""
        return dict(hooks())

    @property
    def dialects(self) -> dict[str, DialectInfo]:
        """Name → dialect of SQL."""
        return {
            entry["dialect-type"]: DialectInfo(
                entry["dialect-type"], entry["dialect-class-name"], package
            )
            for package, entry in described("dialects")
        }

    @property
    def taskflow_decorators(self) -> dict[str, Any]:
        """Name → function, of the ``@task.<name>`` of providers."""
        return {name: import_string(path) for name, path in decorators().items()}

    @property
    def extra_links_class_names(self) -> list[str]:
        """Dotted paths of links."""
        return [entry for _, entry in described("extra-links")]

    @property
    def filesystem_module_names(self) -> list[str]:
        """Modules that bring file systems for ``ObjectStoragePath``."""
        return [entry for _, entry in described("filesystems")]

    @property
    def secrets_backend_class_names(self) -> list[str]:
        """Dotted paths of secrets backends."""
        return [entry for _, entry in described("secrets-backends")]

    @property
    def notification(self) -> list[str]:
        """Dotted paths of notifiers."""
        return [entry for _, entry in described("notifications")]

    @property
    def connection_form_widgets(self) -> dict[str, Any]:
        """Further fields of connection forms: none, the form shows them as JSON."""
        return {}

    @property
    def field_behaviours(self) -> dict[str, Any]:
        """How fields of connection forms are shown: none is asked for."""
        return {}


ProvidersManagerTaskRuntime = ProvidersManager
