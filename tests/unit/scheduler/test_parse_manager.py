from __future__ import annotations

import os
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from tradewind import __version__
from tradewind.database.dag_files import SavedFile
from tradewind.database.values import FileRow
from tradewind.runtime.task.parse_messages import AnsweredDag, Inputs, ParseAnswer
from tradewind.runtime.task.recorded_inputs import fingerprint_path, fingerprint_value
from tradewind.scheduler.parse_children import FinishedParse
from tradewind.scheduler.parse_manager import ParseManager
from tradewind.scheduler.parse_settings import DagRoot, ParseSettings
from tradewind.sdk.clock import VirtualClock

DAG_TEXT = "from airflow import DAG\n"


class FakeFiles:
    def __init__(self) -> None:
        self.saved = []
        self.forgotten = []
        self.rows = []
        self.failures = 0
        self.problems = {}

    def load_all(self):
        return self.rows

    def outdated(self):
        return []

    def save_all(self, files, now):
        if self.failures:
            self.failures -= 1
            raise OSError("disk full")
        self.saved += files
        return [SavedFile(problems=self.problems.get(one.relative_path, [])) for one in files]

    def forget(self, relative_path, now):
        self.forgotten.append(relative_path)


class FakeChildren:
    """Answers each request at the next wait, as the test says."""

    def __init__(self) -> None:
        self.requests = []
        self.waiting = []
        self.answers = {}

    def running(self):
        return [request.relative_path for request in self.waiting]

    def is_suspect(self, relative_path):
        return False

    def fork(self, request):
        self.requests.append(request)
        self.waiting.append(request)

    def wait(self, timeout_s):
        finished = [self._finish(request) for request in self.waiting]
        self.waiting = []
        return finished

    def _finish(self, request):
        answer = self.answers.get(
            request.relative_path, ParseAnswer(dags=[AnsweredDag("d", b"{}")])
        )
        if isinstance(answer, str):
            return FinishedParse(request, None, answer, 0.1, "")
        if isinstance(answer, FinishedParse):
            return answer
        answer.inputs.tradewind_version = __version__
        return FinishedParse(request, answer, "", 0.1, "")


class World:
    """One folder, one manager, and a clock that the test moves."""

    def __init__(self, folder, **settings) -> None:
        self.folder = folder
        self.clock = VirtualClock(datetime(2026, 1, 1, tzinfo=UTC))
        self.files = FakeFiles()
        self.children = FakeChildren()
        self.variables = {}
        self.unplanned = []
        self.planned = []
        dags = SimpleNamespace(
            unplanned=lambda: self.unplanned,
            set_next_run=lambda *values: self.planned.append(values),
        )
        self.store = SimpleNamespace(
            files=self.files, variables=self.variables, connections={}, dags=dags
        )
        self.rung = []
        self.settings = ParseSettings(roots=(DagRoot(folder),), **settings)
        self.restart()

    def restart(self) -> None:
        self.manager = ParseManager(
            store=self.store,
            clock=self.clock,
            children=self.children,
            settings=self.settings,
            ring=self.rung.append,
        )
        self.manager.start()

    def write(self, name, text=DAG_TEXT):
        path = self.folder / name
        path.write_text(text)
        return path

    def settle(self, seconds=10.0) -> list[str]:
        """Let time pass; return the files that were parsed meanwhile."""
        before = len(self.children.requests)
        for _ in range(int(seconds * 2)):
            self.clock.advance(seconds=0.5)
            self.manager.run_once(0)
        return [request.relative_path for request in self.children.requests[before:]]

    def row(self, name, **fields):
        saved = next(parsed for parsed in self.files.saved if parsed.relative_path == name)
        return FileRow(
            relative_path=name,
            path=saved.path,
            content_hash=saved.content_hash,
            parsed_at=saved.parsed_at,
            duration_s=0.0,
            error=saved.error,
            error_at=None,
            no_dag_reason=saved.no_dag_reason,
            warnings=(),
            inputs=saved.inputs,
            is_present=True,
            **fields,
        )


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def test_a_new_file_is_parsed_once_and_stored(world):
    world.write("a.py")

    assert world.settle() == ["a.py"]
    assert [parsed.relative_path for parsed in world.files.saved] == ["a.py"]


def test_a_file_that_did_not_change_is_looked_at_again_when_a_rule_leaves_it_out(world):
    world.write("a.py")
    world.settle()

    (world.folder / ".airflowignore").write_text("a.py\n")
    world.settle()

    assert "left out by .airflowignore" in world.files.saved[-1].no_dag_reason


def test_a_file_that_was_away_for_one_scan_has_two_to_go_again(world):
    path = world.write("a.py")
    world.settle()
    away = path.rename(world.folder / "a.away")
    world.clock.advance(seconds=world.settings.scan_interval_s)
    world.manager.run_once(0)  # the first scan without it
    away.rename(path)
    world.settle()
    path.rename(away)
    world.clock.advance(seconds=world.settings.scan_interval_s)
    world.manager.run_once(0)

    assert world.files.forgotten == []
    world.settle()
    assert world.files.forgotten == ["a.py"]


def test_a_changed_file_is_parsed_again_and_a_touched_one_is_not(world):
    path = world.write("a.py")
    world.settle()

    os.utime(path, (1, 1))
    assert world.settle() == []
    world.write("a.py", DAG_TEXT + "# more\n")
    assert world.settle() == ["a.py"]


def test_an_unchanged_file_costs_no_import_after_a_restart(world):
    world.write("a.py")
    world.settle()
    world.files.rows = [world.row("a.py")]

    world.restart()

    assert world.settle() == []


def test_broken_files_and_those_of_another_version_are_parsed_at_a_restart(world):
    world.children.answers["a.py"] = ParseAnswer(error="ValueError: a")
    world.write("a.py")
    world.write("b.py")
    world.write("c.py")
    world.settle()
    world.files.rows = [world.row("a.py"), world.row("b.py"), world.row("c.py")]
    world.files.rows[1].inputs["tradewind_version"] = "0.0.1"

    world.restart()

    assert world.settle() == ["a.py", "b.py"]


def test_a_change_of_a_file_read_at_import_parses_again(world):
    data = world.folder / "tables.yaml"
    data.write_text("a: 1")
    inputs = Inputs(files={str(data): fingerprint_path(str(data))})
    world.children.answers["a.py"] = ParseAnswer(inputs=inputs)
    world.write("a.py")
    assert world.settle() == ["a.py"]

    data.write_text("a: 2 and more")
    world.children.answers["a.py"] = ParseAnswer(
        inputs=Inputs(files={str(data): fingerprint_path(str(data))})
    )

    assert world.settle() == ["a.py"]


def test_a_change_of_a_variable_read_at_import_parses_again(world):
    world.variables["region"] = SimpleNamespace(value="eu")
    inputs = Inputs(variables={"region": fingerprint_value("region", "eu")})
    world.children.answers["a.py"] = ParseAnswer(inputs=inputs)
    world.write("a.py")
    assert world.settle(20) == ["a.py"]

    world.variables["region"] = SimpleNamespace(value="us")
    world.children.answers["a.py"] = ParseAnswer(
        inputs=Inputs(variables={"region": fingerprint_value("region", "us")})
    )

    assert world.settle(20) == ["a.py"]


def test_a_file_that_asks_the_network_is_parsed_each_interval(tmp_path):
    world = World(tmp_path, reparse_interval_s=60.0)
    world.children.answers["a.py"] = ParseAnswer(inputs=Inputs(unseen=["socket.connect"]))
    world.write("a.py")

    assert world.settle(50) == ["a.py"]
    assert world.settle(70) == ["a.py"]


def test_a_broken_file_is_tried_again_when_another_file_of_the_folder_changes(world):
    world.children.answers["a.py"] = ParseAnswer(error="ModuleNotFoundError: no module 'helper'")
    world.write("a.py")
    assert world.settle() == ["a.py"]
    assert world.files.saved[-1].error == "ModuleNotFoundError: no module 'helper'"

    world.write("helper.py", "")

    assert world.settle() == ["a.py"]


def test_a_broken_file_is_tried_again_ever_more_rarely(tmp_path):
    world = World(tmp_path, reparse_interval_s=10.0)
    world.children.answers["a.py"] = "parsing took longer than 50 s"
    world.write("a.py")

    assert len(world.settle(50)) == 3
    assert len(world.settle(100)) == 1


def test_a_crashed_child_becomes_an_import_error_of_its_file_only(world):
    world.children.answers["a.py"] = "ended by signal 11 (SIGSEGV)"
    world.write("a.py")
    world.write("b.py")
    world.settle()

    errors = {parsed.relative_path: parsed.error for parsed in world.files.saved}
    assert errors == {"a.py": "ended by signal 11 (SIGSEGV)", "b.py": None}


@pytest.mark.parametrize(
    ("error", "line"),
    [
        ('Traceback (most recent call last):\n  File "a.py"\nValueError: no', "ValueError: no"),
        ("the file called sys.exit(3)\nTraceback\n    sys.exit(3)\n    ^^^^", "called sys.exit(3)"),
    ],
)
def test_the_log_of_a_broken_file_has_the_line_that_says_what_is_wrong(world, caplog, error, line):
    world.write("a.py")
    world.children.answers["a.py"] = ParseAnswer(error=error)

    world.settle()

    assert [one.getMessage().endswith(line) for one in caplog.records] == [True]


def test_a_child_lost_with_its_zygote_is_parsed_again(world):
    world.write("a.py")
    world.manager.run_once(0)
    (request,) = world.children.waiting
    world.children.answers["a.py"] = FinishedParse(
        request, None, "the zygote has ended", 0.1, "", is_ours=True
    )
    world.manager.run_once(0)
    world.children.answers.clear()

    assert world.settle() == ["a.py"]
    assert [parsed.error for parsed in world.files.saved] == [None]


def test_a_file_is_forgotten_when_two_scans_miss_it(world):
    path = world.write("a.py")
    world.settle()
    path.unlink()

    world.clock.advance(seconds=6)
    world.manager.run_once(0)
    assert world.files.forgotten == []
    world.settle(2)
    assert world.files.forgotten == ["a.py"]


def test_a_folder_that_cannot_be_read_is_no_evidence_that_files_are_gone(world):
    world.write("a.py")
    world.settle()
    moved = world.folder.with_name("elsewhere")
    world.folder.rename(moved)

    world.settle(30)
    assert world.files.forgotten == []


def test_a_file_without_mention_of_dags_is_listed_with_the_reason_and_not_imported(world):
    world.write("notes.py", "x = 1\n")

    assert world.settle() == []
    (listed,) = world.files.saved
    assert "does not mention 'dag'" in listed.no_dag_reason
    assert len(listed.content_hash) <= 64  # PostgreSQL takes no more


def test_an_ignored_file_is_listed_once_with_the_pattern(world):
    world.write("a.py")
    (world.folder / ".airflowignore").write_text("a.py")

    assert world.settle(30) == []
    assert [parsed.no_dag_reason for parsed in world.files.saved] == [
        "left out by .airflowignore: a.py"
    ]


def test_a_listed_file_that_begins_to_mention_dags_is_parsed(world):
    world.write("a.py", "x = 1\n")
    world.settle()

    world.write("a.py")

    assert world.settle() == ["a.py"]


def test_what_was_parsed_is_kept_while_the_database_is_away(world):
    world.files.failures = 3
    world.write("a.py")

    assert world.settle(20) == ["a.py"]
    assert [parsed.relative_path for parsed in world.files.saved] == ["a.py"]


def test_a_dag_that_two_files_declare_goes_to_the_second_when_the_first_is_gone(world):
    first = world.write("a.py")
    world.files.problems["b.py"] = ["DAG 'd' is already defined in a.py"]
    world.write("b.py")
    world.settle()
    world.files.problems.clear()

    first.unlink()

    assert "b.py" in world.settle()
    assert world.files.forgotten == ["a.py"]


def test_an_environment_variable_that_changed_before_a_restart_parses_again(world, monkeypatch):
    monkeypatch.setenv("REGION", "eu")
    inputs = Inputs(environment={"REGION": fingerprint_value("REGION", "eu")})
    world.children.answers["a.py"] = ParseAnswer(inputs=inputs)
    world.write("a.py")
    world.settle()
    world.files.rows = [world.row("a.py")]

    monkeypatch.setenv("REGION", "us")
    world.restart()

    assert world.settle() == ["a.py"]


def test_at_most_two_files_are_parsed_at_once(world):
    for number in range(5):
        world.write(f"{number}.py")
    most = 0

    for _ in range(10):
        world.manager.run_once(0)
        most = max(most, len(world.children.waiting))

    assert most == 2
    assert len(world.files.saved) == 5
