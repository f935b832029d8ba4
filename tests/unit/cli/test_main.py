from __future__ import annotations

import errno
import os
import shlex
import subprocess
import sys

import click
import pytest
from tradewind.cli import main
from tradewind.cli.lazy_group import LazyGroup
from tradewind.sdk.errors import TradewindError


def _all_commands() -> list[str]:
    names = []
    for name in main.COMMANDS:
        names.append(name)
        command = main.root.get_command(click.Context(main.root), name)
        if isinstance(command, LazyGroup):
            names += [f"{name} {inner}" for inner, _ in command.help_lines()]
    return names


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("TRADEWIND_HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("name", _all_commands())
def test_every_command_has_help(name, capsys):
    assert main.run([*name.split(), "--help"]) == 0
    assert capsys.readouterr().out.startswith("Usage: ")


def test_help_imports_no_command_and_no_heavy_library():
    code = (
        "import sys; from tradewind.cli.main import run; run(['--help']);"
        "heavy = {'sqlalchemy', 'flask', 'rich', 'yaml', 'jinja2', 'pendulum', 'msgspec'};"
        "sys.exit(', '.join(heavy & set(sys.modules)) or int('tradewind.cli.dags' in sys.modules))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["dags", "nope"], "tradewind dags: error: No such command 'nope'."),
        (["pools", "set", "p"], "tradewind pools set: error: Missing argument 'SLOTS'."),
        (
            ["dags", "trigger", "d", "-e", "yesterday-ish"],
            "tradewind dags trigger: error: Invalid value for '-e' / '-l' / '--exec-date' / "
            "'--logical-date': 'yesterday-ish' is not a date; "
            "write one like 2024-01-31 or 2024-01-31T12:00",
        ),
        ([], "tradewind: error: a command is missing"),
    ],
)
def test_a_usage_error_prints_help_to_stdout_and_one_line_to_stderr(arguments, line, capsys):
    assert main.run(arguments) == 2

    printed = capsys.readouterr()
    assert printed.out.startswith("Usage: ")
    assert printed.err == line + "\n"


def test_the_version_under_airflows_name_is_airflows(capsys):
    assert main.run(["version"], "tradewind") == 0
    assert main.run(["version"], "airflow") == 0

    assert capsys.readouterr().out.splitlines() == ["0.1.0", "3.3.2"]


def test_an_expected_error_is_one_line_and_exit_code_1(capsys, monkeypatch):
    _raise_instead_of_version(monkeypatch, TradewindError("There is no DAG 'x'."))

    assert main.run(["version"]) == 1
    assert capsys.readouterr().err == "There is no DAG 'x'.\n"


def test_an_unexpected_error_is_one_line_that_names_the_file_with_the_traceback(
    capsys, monkeypatch, home
):
    _raise_instead_of_version(monkeypatch, ZeroDivisionError("oh\nno"))

    assert main.run(["version"]) == 1

    path = home / "logs" / "cli" / "errors.log"
    assert capsys.readouterr().err == f"ZeroDivisionError: oh (details: {path})\n"
    assert "Traceback (most recent call last)" in path.read_text()


def _raise_instead_of_version(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail() -> None:
        raise error

    from tradewind.cli import version

    monkeypatch.setattr(version.version, "callback", fail)


@pytest.mark.parametrize("command", ["dags list", "standalone", "scheduler"])
def test_a_time_zone_that_is_none_is_told_at_the_start(command, monkeypatch, capsys):
    monkeypatch.setenv("TRADEWIND__CORE__DEFAULT_TIMEZONE", "Mars/Base")

    assert main.run(command.split()) == 1
    assert capsys.readouterr().err.splitlines()[-1] == (
        "Setting [core] default_timezone: there is no time zone 'Mars/Base'."
        " Use a name such as Europe/Paris, or utc"
    )


def _tradewind(line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a line of shell in which ``tradewind`` is this program, in a process of its own."""
    program = f"{shlex.quote(sys.executable)} -c 'from tradewind.cli.main import main; main()'"
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line.replace("tradewind", program)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("tradewind version >&-", 0, ""),
        ("tradewind version > /dev/full", 1, "Cannot write the output: no space is left"),
        ("tradewind cheat-sheet | true", 1, ""),
        ("tradewind variables delete x <&-", 0, ""),
        ("tradewind pools delete $'\\xff'", 2, "is not utf-8 text"),
        ("tradewind dags delete '\u00e9' -y", 1, "There is no DAG '\u00e9'."),
    ],
)
def test_streams_that_are_closed_full_or_ascii_make_no_traceback(line, code, said):
    done = _tradewind(line, PYTHONIOENCODING="ascii")

    assert done.returncode == code
    assert said in done.stderr
    assert done.stderr.count("\n") == bool(said)


@pytest.mark.parametrize("number", [errno.EROFS, errno.EMFILE, errno.ENOMEM, errno.EDQUOT])
def test_what_the_machine_refuses_is_one_line_that_says_what_helps(monkeypatch, capsys, number):
    def refused(*_arguments, **_options):
        raise OSError(number, os.strerror(number), "/home/me/run/parser.lock")

    monkeypatch.setattr(main.root, "main", refused)

    assert main.run(["dags", "list"]) == 1
    said = capsys.readouterr().err
    assert "/home/me/run/parser.lock: " in said
    assert "details" not in said
    assert said.count("\n") == 1


def test_ctrl_c_while_the_program_is_being_imported_is_one_word():
    code = (
        "import signal, sys\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'tradewind.cli.main':\n"
        "            signal.raise_signal(signal.SIGINT)\n"
        "from tradewind.cli.entry import main\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "main()\n"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Interrupted.\n")
