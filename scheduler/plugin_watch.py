"""When the plugins are to be looked at, and what came of it: for the parse manager.

Plugins are user code: they are loaded in a parser child, which says what is broken and what is
listened to. Nothing is started where there are no plugins.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from ..runtime.task.parse_messages import ParseRequest
from ..sdk.plugins import plugin_entry_points, plugin_files, plugins_folder
from .parse_children import FinishedParse
from .parse_settings import ParseSettings

#: Tells plugins from DAG files among relative paths.
PLUGINS = "(plugins)"
_PREFIX = f"{PLUGINS}/"

_Stamps = Mapping[Path, tuple[int, int]]


class PluginWatch:
    """Remembers what was looked at last."""

    def __init__(self) -> None:
        self._folder = plugins_folder()
        self._stamps: _Stamps | None = None
        self._is_due = False
        self._is_running = False
        #: What the listeners of the plugins hear of; None: nobody has looked yet.
        self.hooks: frozenset[str] | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether a check is due or under way."""
        return self._is_due or self._is_running

    def look(self) -> None:
        """Compare the files of the plugins folder with those of the last look."""
        stamps = _stamps_of(self._folder)
        if stamps == self._stamps:
            return
        is_first = self._stamps is None
        self._stamps = stamps
        # Without any there is nothing to load; what is gone must be forgotten, though.
        is_due = bool(stamps) or not is_first or bool(plugin_entry_points())
        self._is_due = self._is_due or is_due
        if not self.is_waiting:
            self.hooks = frozenset()

    def check_again(self) -> None:
        """The child was lost: look once more."""
        self._is_running = False
        self._is_due = True

    def request(self, settings: ParseSettings) -> ParseRequest | None:
        """Return what a child is to do now, None: nothing."""
        if not self._is_due or self._is_running:
            return None
        self._is_due, self._is_running = False, True
        return ParseRequest(
            path=str(self._folder),
            relative_path=PLUGINS,
            import_folders=list(settings.import_folders),
            import_timeout_s=settings.import_timeout_s,
            checks_plugins=True,
        )

    def take(self, finished: FinishedParse) -> dict[str, str]:
        """Take in a child's answer; return relative path → why that plugin is broken."""
        self._is_running = False
        answer = finished.answer
        if answer is None or answer.error:
            self.hooks = self.hooks or frozenset()
            return {PLUGINS: answer.error if answer is not None else finished.failure}
        self.hooks = frozenset(answer.hooks)
        return {_PREFIX + source: error for source, error in answer.plugin_errors.items()}

    def path_of(self, relative_path: str) -> Path:
        """Return where a plugin lies."""
        return self._folder / relative_path.removeprefix(_PREFIX)

    @staticmethod
    def mended(known: Collection[str], errors: Collection[str]) -> list[str]:
        """Return the plugins that were broken and are not any more."""
        return [one for one in known if one.startswith(PLUGINS) and one not in errors]


def _stamps_of(folder: Path) -> _Stamps:
    found = {}
    try:
        for path in plugin_files(folder):
            status = path.stat()
            found[path] = (status.st_mtime_ns, status.st_size)
    except OSError:  # one was removed while we looked: seen by the next look
        return found
    return found
