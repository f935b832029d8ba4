"""What the parse manager may be told, read from the configuration once at its start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..sdk.configuration import Configuration, dags_folder, home, is_checkout

#: Where the examples of an installed package stand among relative paths.
EXAMPLES_PREFIX = "(examples)/"
_PACKAGE_FOLDER = Path(__file__).parent.parent
_MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class DagRoot:
    """A folder of DAG files. ``prefix`` tells its relative paths from those of other roots."""

    folder: Path
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class ParseSettings:
    """Lengths of time are seconds."""

    roots: tuple[DagRoot, ...]
    import_folders: tuple[str, ...] = ()
    ignore_syntax: str = "glob"
    is_safe_mode: bool = True
    parallel: int = 2
    import_timeout_s: float = 30.0
    time_limit_s: float = 50.0
    memory_limit_bytes: int = 1024 * _MEBIBYTE
    shows_tracebacks: bool = True
    traceback_depth: int = 2
    reparse_interval_s: float = 300.0
    scan_interval_s: float = 5.0
    is_watching: bool = True


def load_parse_settings(conf: Configuration) -> ParseSettings:
    """Read the settings.

    Raises:
        ConfigurationError: a value cannot be read.
    """
    folder = dags_folder()
    roots = [DagRoot(folder)]
    examples = _PACKAGE_FOLDER / "dags"
    if (
        conf.getboolean("core", "load_examples")
        and examples.is_dir()
        and not _holds_examples(folder.resolve(), examples.resolve())
    ):
        roots.append(DagRoot(examples, EXAMPLES_PREFIX))
    reparse_s = conf.get("dag_processor", "min_file_process_interval", fallback=None)
    return ParseSettings(
        roots=tuple(roots),
        import_folders=(
            str(folder),
            conf.get("core", "plugins_folder"),
            str(home() / "config"),
        ),
        ignore_syntax=conf.get("core", "dag_ignore_file_syntax"),
        is_safe_mode=conf.getboolean("core", "dag_discovery_safe_mode"),
        parallel=max(1, conf.getint("dag_processor", "parsing_processes")),
        import_timeout_s=conf.getfloat("core", "dagbag_import_timeout"),
        time_limit_s=conf.getfloat("dag_processor", "dag_file_processor_timeout"),
        memory_limit_bytes=conf.getint("dag_processor", "parsing_memory_mb") * _MEBIBYTE,
        shows_tracebacks=conf.getboolean("core", "dagbag_import_error_tracebacks"),
        traceback_depth=conf.getint("core", "dagbag_import_error_traceback_depth"),
        reparse_interval_s=(
            float(reparse_s) if reparse_s else conf.getfloat("dag_processor", "reparse_interval_s")
        ),
        scan_interval_s=conf.getfloat("dag_processor", "scan_interval_s"),
        is_watching=conf.getboolean("dag_processor", "watch"),
    )


def _holds_examples(folder: Path, examples: Path) -> bool:
    """Return whether *folder* is the examples' own, here or in a checkout: none is shown twice."""
    return folder == examples or (folder.name == "dags" and is_checkout(folder.parent))
