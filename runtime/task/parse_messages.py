"""What parse manager and parser child tell each other: plain structs, as MessagePack."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct, field

from ...sdk.serialized import SerializedWatcher


class NextRunRequest(Struct):
    """Which run comes after *last*, for a DAG whose timetable is a user's own class?"""

    dag_id: str
    last_start_at: datetime | None
    last_end_at: datetime | None
    now: datetime


class ParseRequest(Struct):
    """One file to be imported."""

    path: str
    relative_path: str
    #: Folders that DAG files import from: the DAGs folder, plugins, config.
    import_folders: list[str]
    #: Seconds until an import is interrupted; 0: no limit of the child's own.
    import_timeout_s: float = 30.0
    shows_tracebacks: bool = True
    traceback_depth: int = 2
    #: Not empty: plan these instead of serializing.
    next_runs: list[NextRunRequest] = []
    #: No file: load the plugins, and say what they bring.
    checks_plugins: bool = False


class AnsweredDag(Struct):
    """One DAG as ``sdk.serialized.encode`` writes it."""

    dag_id: str
    serialized: bytes
    watchers: list[SerializedWatcher] = []


class Inputs(Struct):
    """What was read while importing, each with a fingerprint of what was found.

    ``unseen`` names what cannot be checked again cheaply, such as ``socket.connect``: such a
    file is parsed every ``min_file_process_interval``.
    """

    files: dict[str, str] = {}
    variables: dict[str, str] = {}
    connections: dict[str, str] = {}
    environment: dict[str, str] = {}
    unseen: list[str] = []
    #: Version of Tradewind that serialized: another one may do it otherwise.
    tradewind_version: str = ""


class AnsweredRun(Struct):
    """The planned run of one DAG, or the reason why its timetable gave none."""

    dag_id: str
    run_id: str = ""  # empty: there is no next run
    run_after: datetime | None = None
    logical_date: datetime | None = None
    data_interval_start: datetime | None = None
    data_interval_end: datetime | None = None
    error: str = ""


class ParseAnswer(Struct):
    """What importing one file gave."""

    content_hash: str = ""
    source: str = ""
    dags: list[AnsweredDag] = []
    error: str = ""
    no_dag_reason: str = ""
    warnings: list[str] = []
    inputs: Inputs = field(default_factory=Inputs)
    next_runs: list[AnsweredRun] = []
    #: Of a check of the plugins: source → why it cannot be loaded, and what is listened to.
    plugin_errors: dict[str, str] = {}
    hooks: list[str] = []
