"""Plugins: found in the plugins folder and by the entry point ``airflow.plugins``, loaded once.

They are user code: they are loaded where DAG files are, in parser children, task hosts and
callback children, never in the scheduler. A broken one is an import error of its own, and the
others are loaded all the same.
"""

from __future__ import annotations

import importlib.util
import logging
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from . import macros
from .configuration import conf, home
from .listeners import Listeners
from .plugin import AirflowPlugin

log = logging.getLogger(__name__)

GROUP = "airflow.plugins"

#: What a plugin can bring here, and what it brings in Airflow for a web server that we are not.
SERVED = (
    "macros",
    "listeners",
    "timetables",
    "priority_weight_strategies",
    "operator_extra_links",
    "global_operator_extra_links",
)
NOT_SERVED = (
    "flask_blueprints",
    "fastapi_apps",
    "fastapi_root_middlewares",
    "external_views",
    "react_apps",
    "appbuilder_views",
    "appbuilder_menu_items",
    "admin_views",
    "menu_links",
    "executors",
    "hooks",
    "operators",
    "ti_deps",
)


@dataclass(frozen=True, slots=True)
class LoadedPlugin:
    """One plugin. ``source``: the file below the plugins folder, or the entry point."""

    name: str
    source: str
    plugin: Any


@dataclass(slots=True)
class Plugins:
    """The plugins of this process. ``errors``: source → why it could not be loaded."""

    plugins: list[LoadedPlugin] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    listeners: Listeners = field(default_factory=Listeners)

    def brought(self, kind: str) -> list[Any]:
        """Return what all plugins bring of one kind, such as ``timetables``."""
        return [one for loaded in self.plugins for one in getattr(loaded.plugin, kind, None) or ()]


def plugins_folder() -> Path:
    """Return the folder of ``[core] plugins_folder``."""
    return Path(conf.get("core", "plugins_folder", fallback="") or home() / "plugins")


def plugin_files(folder: Path) -> list[Path]:
    """Return the Python files of the plugins folder, in order of their names."""
    if not folder.is_dir():
        return []
    return [
        path
        for path in sorted(folder.rglob("*.py"))
        if not any(part.startswith((".", "__pycache__")) for part in path.relative_to(folder).parts)
    ]


@cache
def plugin_entry_points() -> tuple[EntryPoint, ...]:
    """Return the entry points of installed packages that bring plugins."""
    return tuple(sorted(entry_points(group=GROUP), key=lambda one: one.name))


_loaded: Plugins | None = None
_NONE = Plugins()


def load_plugins() -> Plugins:
    """Load all plugins, once in this process, and make what they bring known."""
    global _loaded
    if _loaded is None:
        _loaded = Plugins()  # before the files are run: one that asks again gets what is there
        _load(_loaded)
    return _loaded


def known_plugins() -> Plugins:
    """Return the plugins that are loaded by now, without loading any."""
    return _loaded or _NONE


def forget_plugins() -> None:
    """Load them anew when they are asked for next: for ``tradewind plugins`` and tests."""
    global _loaded
    _loaded = None


def _load(plugins: Plugins) -> None:
    folder = plugins_folder()
    files = plugin_files(folder)
    if files and str(folder) not in sys.path:
        sys.path.append(str(folder))
    for path in files:
        source = path.relative_to(folder).as_posix()
        try:
            found: Iterable[Any] = _classes_of(_import_file(path, folder))
        except BaseException as error:  # noqa: BLE001 - a plugin may even call sys.exit
            plugins.errors[source] = _one_line(error)
            continue
        for one in found:
            _add(plugins, one, source)
    for point in plugin_entry_points():
        source = f"{point.value} (entry point {point.name})"
        try:
            _add(plugins, point.load(), source)
        except BaseException as error:  # noqa: BLE001 - as above
            plugins.errors[source] = _one_line(error)
    for source, why in plugins.errors.items():
        log.error("the plugin %s is left out: %s", source, why)


def _add(plugins: Plugins, plugin: Any, source: str) -> None:
    known = {loaded.name for loaded in plugins.plugins}
    try:
        if not is_plugin(plugin):
            raise TypeError(f"{plugin!r} does not derive from AirflowPlugin")
        plugin.validate()
        if plugin.name in known:
            return  # the same class, imported by a second file
        loaded = LoadedPlugin(str(plugin.name), source, plugin)
        plugin.on_load()
        _check(loaded)
        for listener in getattr(plugin, "listeners", None) or ():
            plugins.listeners.add(listener)
        _offer_macros(loaded)
    except BaseException as error:  # noqa: BLE001 - as above
        plugins.errors[source] = _one_line(error)
        return
    plugins.plugins.append(loaded)


def is_plugin(found: Any) -> bool:
    """Tell whether something is a class that derives from ``AirflowPlugin``."""
    return isinstance(found, type) and issubclass(found, AirflowPlugin)


def _check(loaded: LoadedPlugin) -> None:
    for kind in SERVED:
        value = getattr(loaded.plugin, kind, None)
        if value is not None and not isinstance(value, Sequence | set | frozenset):
            raise TypeError(f"{kind} of the plugin {loaded.name!r} is a list, not {value!r}")


def _offer_macros(loaded: LoadedPlugin) -> None:
    """Make ``macros.<plugin>`` and the module ``airflow.macros.<plugin>``."""
    functions = getattr(loaded.plugin, "macros", None) or ()
    if not functions:
        return
    module = ModuleType(f"airflow.macros.{loaded.name}")
    for function in functions:
        setattr(module, function.__name__, function)
    setattr(macros, loaded.name, module)
    sys.modules[module.__name__] = module


def _classes_of(module: ModuleType) -> Iterator[Any]:
    for value in list(vars(module).values()):
        if is_plugin(value) and value is not AirflowPlugin:
            yield value


def _import_file(path: Path, folder: Path) -> ModuleType:
    """Import one file under the name by which DAG files import it, if that leads to it."""
    parts = path.relative_to(folder).with_suffix("").parts
    if parts[-1] == "__init__":
        parts = parts[:-1]
    name = ".".join(parts)
    if name and all(part.isidentifier() for part in parts):
        try:
            spec = importlib.util.find_spec(name)
        except (ImportError, ValueError):
            spec = None
        if spec is not None and spec.origin and Path(spec.origin) == path:
            return import_module(name)
    # A file called json.py must not stand in for the library, and can be loaded all the same.
    name = f"airflow_plugin_{'_'.join(parts) or 'root'}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot import {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _one_line(error: BaseException) -> str:
    where = ""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    if isinstance(error, SyntaxError):
        where = f" (line {error.lineno})"
    elif traceback is not None and traceback.tb_frame.f_code.co_filename != __file__:
        where = f" ({traceback.tb_frame.f_code.co_filename}, line {traceback.tb_lineno})"
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}{where}"
