"""Real parser children: whatever a file does at import hurts that file only."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime

import pytest
from tradewind.runtime.supervise.zygote_client import ZygoteClient, ZygoteDied
from tradewind.runtime.task import protocol
from tradewind.runtime.task.parse_messages import ParseRequest
from tradewind.runtime.task.recorded_inputs import ABSENT, fingerprint_path, fingerprint_value
from tradewind.scheduler.parse_children import ParseChildren, ParseLimits
from tradewind.sdk.clock import VirtualClock, WallClock

VARIABLES = {"region": "eu"}


def answer(message: bytes) -> bytes | None:
    asked = protocol.decode_task_message(message)
    assert isinstance(asked, protocol.Ask)
    return protocol.encode(protocol.Answer(value=VARIABLES.get(asked.arguments.get("key"))))


#: So long nothing here takes, on a machine with much else to do. Only what never ends by itself
#: is given a limit that is shorter.
PATIENCE_S = 120.0


@pytest.fixture(scope="module")
def zygote():
    started = ZygoteClient()
    started.start()
    return started


@pytest.fixture(scope="module")
def children(zygote):
    limits = ParseLimits(time_s=PATIENCE_S, memory_bytes=200 * 1024 * 1024)
    children = ParseChildren(zygote, WallClock(), answer, limits)
    children.start()
    yield children
    children.stop()


@pytest.fixture
def parse(children, tmp_path):
    def parse_text(text: str, **options):
        return parse_with(children, tmp_path / "a.py", text, **options)

    return parse_text


def parse_with(children: ParseChildren, path, text: str, **options):
    path.write_text(text)
    options.setdefault("import_timeout_s", PATIENCE_S)
    children.fork(
        ParseRequest(
            path=str(path), relative_path=path.name, import_folders=[str(path.parent)], **options
        )
    )
    return finished_parse(children)


def finished_parse(children: ParseChildren):
    while True:
        for finished in children.wait(1.0):
            return finished


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = (", "SyntaxError: '(' was never closed"),
        ("raise ValueError('no \\ud800 text')", "ValueError: no \\ud800 text"),
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("import sys\nsys.exit(3)", "the file called sys.exit(3)"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("x = '\0'", "source code string cannot contain null bytes"),
    ],
)
def test_an_error_at_import_is_told_in_the_files_own_lines(parse, text, said):
    finished = parse(text)

    assert said in finished.answer.error
    assert "runtime/task" not in finished.answer.error


def test_an_import_without_end_is_stopped_in_the_file_itself(parse):
    finished = parse("while True:\n    pass", import_timeout_s=0.5)

    assert "took longer than 0.5 s (setting [core] dagbag_import_timeout)" in finished.answer.error


def test_an_import_that_cannot_be_stopped_from_within_is_killed(children, zygote, tmp_path):
    limits = ParseLimits(time_s=1.5, memory_bytes=200 * 1024 * 1024)
    impatient = ParseChildren(zygote, WallClock(), answer, limits)
    impatient.start()

    finished = parse_with(
        impatient,
        tmp_path / "a.py",
        "import signal\nsignal.signal(14, signal.SIG_IGN)\nwhile True: pass",
        import_timeout_s=0.5,
    )

    assert "longer than 1.5 s and was stopped" in finished.failure


def test_what_took_too_much_memory_and_time_is_blamed_for_the_memory(zygote, tmp_path):
    """On a machine that swaps, the time is what the memory has cost."""
    none = ParseLimits(time_s=0.0, memory_bytes=1)
    impatient = ParseChildren(zygote, WallClock(), answer, none)
    impatient.start()

    finished = parse_with(impatient, tmp_path / "a.py", "while True: pass")

    assert "MB of memory and was stopped" in finished.failure


def test_a_file_that_kills_the_parent_of_all_is_told_so_when_it_did_so_alone(parse, children):
    text = "import os\nos.kill(os.getppid(), 9)"

    first, second = parse(text), parse(text)

    assert (first.is_ours, second.is_ours) == (True, False)
    assert "ended the process that all files are imported from" in second.failure
    assert not children.is_suspect("a.py")
    assert parse("x = 1").failure == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import os\nos._exit(0)", "with exit code 0, before the import was done"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)", "signal 11 (SIGSEGV)"),
        ("x = []\nwhile True:\n    x.append(bytearray(5_000_000))", "more than 200 MB of memory"),
    ],
)
def test_a_child_that_gives_no_answer_leaves_the_reason(parse, text, said):
    assert said in parse(text).failure


def test_the_last_output_of_a_crash_is_kept(parse):
    finished = parse("import os\nprint('loading the model', flush=True)\nos.abort()")

    assert finished.failure.endswith("Last output:\nloading the model")


def test_threads_and_closed_descriptors_do_not_lose_the_answer(parse):
    finished = parse(
        "import os, threading, time\n"
        "threading.Thread(target=time.sleep, args=(60,)).start()\n"
        "os.closerange(3, 100)\n"
    )

    assert finished.answer.no_dag_reason == "no DAG object at module level"


def test_files_folders_and_modules_that_were_read_are_recorded(parse, tmp_path):
    (tmp_path / "helper.py").write_text("x = 1")
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "one.yaml").write_text("a: 1")

    finished = parse(
        "import helper, os\nfrom pathlib import Path\nfolder = Path(__file__).parent / 'tables'\n"
        "texts = [path.read_text() for path in folder.iterdir()]\n"
        "try: open(folder / 'two.yaml')\nexcept OSError: pass\n"
    )

    read = {str(tmp_path / "helper.py"), str(tmp_path / "tables")}
    read.add(str(tmp_path / "tables" / "one.yaml"))
    assert finished.answer.inputs.files == {
        **{path: fingerprint_path(path) for path in read},
        str(tmp_path / "tables" / "two.yaml"): ABSENT,
    }


def test_environment_and_network_that_were_asked_are_recorded(parse):
    finished = parse(
        "import os, socket\nos.environ.get('NO_SUCH_NAME')\nos.getenv('HOME')\n"
        "try: socket.getaddrinfo('localhost', 1)\nexcept OSError: pass\n"
    )

    assert {"NO_SUCH_NAME", "HOME"} <= finished.answer.inputs.environment.keys()
    assert finished.answer.inputs.environment["NO_SUCH_NAME"] == ABSENT
    assert finished.answer.inputs.unseen == ["socket.getaddrinfo"]


def test_what_a_library_does_while_it_is_imported_is_not_the_files_input(parse):
    finished = parse("import sys\nsys.modules.pop('croniter', None)\nimport croniter.croniter")

    assert finished.answer.inputs.unseen == []
    assert finished.answer.inputs.environment == {}


def test_a_variable_is_looked_up_and_recorded_without_its_value(parse):
    finished = parse(
        "from tradewind.sdk import task_runtime\n"
        "assert task_runtime.current.get_variable('region') == 'eu'\n"
    )

    assert finished.answer.error == ""
    assert finished.answer.inputs.variables == {"region": fingerprint_value("region", "eu")}


def test_a_zygote_without_work_gives_its_memory_back_and_comes_again(tmp_path):
    clock = VirtualClock(datetime(2026, 1, 1, tzinfo=UTC))
    zygote = ZygoteClient()
    children = ParseChildren(zygote, clock, answer, ParseLimits())
    children.start()
    clock.advance(seconds=60)
    children.wait(0)
    assert zygote.pid is None

    path = tmp_path / "a.py"
    path.write_text("x = 1")
    children.fork(ParseRequest(path=str(path), relative_path="a.py", import_folders=[]))
    while not (finished := children.wait(1)):
        pass
    children.stop()

    assert finished[0].answer.error == ""


def test_warnings_are_kept_with_file_and_line(parse, tmp_path):
    finished = parse("import warnings\nwarnings.warn('old way')")

    assert finished.answer.warnings == [f"{tmp_path}/a.py:2: UserWarning: old way"]


def test_a_task_that_names_an_executor_which_is_not_configured_is_an_import_error(parse):
    finished = parse(
        "from datetime import datetime\nfrom airflow.sdk import DAG\n"
        "from airflow.providers.standard.operators.empty import EmptyOperator\n"
        "with DAG('d', schedule=None, start_date=datetime(2024, 1, 1)):\n"
        "    EmptyOperator(task_id='far', executor='KubernetesExecutor')\n"
    )

    assert "Task 'far' names the executor 'KubernetesExecutor'" in finished.answer.error
    assert "[core] executor" in finished.answer.error


def request(path, text: str) -> ParseRequest:
    path.write_text(text)
    return ParseRequest(
        path=str(path),
        relative_path=path.name,
        import_folders=[str(path.parent)],
        import_timeout_s=PATIENCE_S,
    )


def test_a_file_that_killed_its_parent_and_answered_in_time_is_blamed_the_second_time(tmp_path):
    children = ParseChildren(ZygoteClient(), WallClock(), answer, ParseLimits())
    children.start()
    try:
        # Without the signal that follows the parent's death, the import goes on to its end.
        asked = request(
            tmp_path / "a.py",
            "import ctypes, os\nctypes.CDLL(None).prctl(1, 0, 0, 0, 0)\nos.kill(os.getppid(), 9)\n",
        )
        outcomes = []
        for _ in range(2):
            children.fork(asked)
            finished = finished_parse(children)
            outcomes.append((finished.answer, finished.is_ours, "its parent" in finished.failure))
    finally:
        children.stop()

    assert outcomes == [(None, True, False), (None, False, True)]


class ZygoteKilledBeforeItTells(ZygoteClient):
    """Its child was faster: the pid of the fork never arrives."""

    def fork(self, kind, payload, fds=()):
        super().fork(kind, payload, fds)
        os.kill(self.pid, signal.SIGKILL)
        raise ZygoteDied("the zygote has ended")


def test_a_file_that_kills_its_parent_before_that_can_tell_is_blamed_too(tmp_path):
    children = ParseChildren(ZygoteKilledBeforeItTells(), WallClock(), answer, ParseLimits())
    children.start()
    try:
        outcomes = []
        for _ in range(2):
            children.fork(request(tmp_path / "a.py", ""))
            finished = finished_parse(children)
            outcomes.append((finished.is_ours, "its parent" in finished.failure))
    finally:
        children.stop()

    assert outcomes == [(True, False), (False, True)]
