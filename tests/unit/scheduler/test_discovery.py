from __future__ import annotations

import os
from pathlib import Path

import pytest
from tradewind.runtime.task.dag_file import mentions_dag
from tradewind.scheduler.discovery import find_files


def write(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        path = folder / name.replace("__", "/").replace("_py", ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def parsed(folder: Path, syntax: str = "glob") -> list[str]:
    found = find_files(folder, ignore_syntax=syntax)
    return [file.relative_path for file in found if not file.ignored_reason]


def test_files_are_found_in_folders_below_in_order_of_name(tmp_path):
    write(tmp_path, b_py="", a_py="", team__x_py="", notes_txt="")

    assert parsed(tmp_path) == ["a.py", "b.py", "team/x.py"]


def test_what_did_not_change_is_the_same_object_again(tmp_path):
    write(tmp_path, a_py="", b_py="")
    before = {one.relative_path: one for one in find_files(tmp_path, ignore_syntax="glob")}
    os.utime(tmp_path / "b.py", (1, 1))

    again = {
        one.relative_path: one for one in find_files(tmp_path, ignore_syntax="glob", before=before)
    }

    assert again["a.py"] is before["a.py"]
    assert again["b.py"].stamp != before["b.py"].stamp


def test_hidden_folders_and_bytecode_are_not_looked_into(tmp_path):
    for folder in (".git", "__pycache__", "node_modules"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.py").write_text("")

    assert parsed(tmp_path) == []


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("a.py", ["team/b.py", "team/old/c.py"]),
        ("b.py", ["a.py", "team/a.py", "team/old/c.py"]),
        ("/a.py", ["team/a.py", "team/b.py", "team/old/c.py"]),
        ("team/a.py", ["a.py", "team/b.py", "team/old/c.py"]),
        ("team/*.py", ["a.py", "team/old/c.py"]),
        ("team/**", ["a.py"]),
        ("**/c.py", ["a.py", "team/a.py", "team/b.py"]),
        ("old/", ["a.py", "team/a.py", "team/b.py"]),
        ("[!a].py", ["a.py", "team/a.py"]),
        ("?.py\n!b.py", ["team/b.py"]),
        ("# a.py", ["a.py", "team/a.py", "team/b.py", "team/old/c.py"]),
    ],
)
def test_a_glob_means_what_it_means_to_git(tmp_path, pattern, left):
    write(tmp_path, a_py="", team__a_py="", team__b_py="", team__old__c_py="")
    (tmp_path / ".airflowignore").write_text(pattern)

    assert parsed(tmp_path, "glob") == left


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("b", ["a.py", "team/a.py", "team/old/c.py"]),
        ("team/.*a", ["a.py", "team/b.py", "team/old/c.py"]),
        ("old", ["a.py", "team/a.py", "team/b.py"]),
        ("^a  # the first one", ["team/a.py", "team/b.py", "team/old/c.py"]),
        ("[", ["a.py", "team/a.py", "team/b.py", "team/old/c.py"]),
    ],
)
def test_a_regular_expression_is_searched_in_the_relative_path(tmp_path, pattern, left):
    write(tmp_path, a_py="", team__a_py="", team__b_py="", team__old__c_py="")
    (tmp_path / ".airflowignore").write_text(pattern)

    assert parsed(tmp_path, "regexp") == left


def test_an_ignore_file_rules_its_own_folder_and_those_below_only(tmp_path):
    write(tmp_path, a_py="", team__a_py="", team__old__a_py="")
    (tmp_path / "team" / ".airflowignore").write_text("a.py")

    assert parsed(tmp_path) == ["a.py"]


def test_an_ignored_file_is_reported_with_the_pattern_that_left_it_out(tmp_path):
    write(tmp_path, team__a_py="")
    (tmp_path / "team" / ".airflowignore").write_text("a.*")

    (file,) = find_files(tmp_path, ignore_syntax="glob")

    assert file.ignored_reason == "left out by team/.airflowignore: a.*"


def test_a_link_that_leads_back_ends_and_is_reported(tmp_path):
    write(tmp_path, a_py="")
    (tmp_path / "loop").symlink_to(tmp_path)
    reports: list[tuple[str, str]] = []

    found = list(
        find_files(tmp_path, ignore_syntax="glob", report=lambda *report: reports.append(report))
    )

    assert [file.relative_path for file in found] == ["a.py"]
    assert reports[0][0] == "loop"
    assert "leads back" in reports[0][1]


def test_a_pipe_with_the_name_of_a_dag_file_is_reported_and_never_opened(tmp_path):
    write(tmp_path, a_py="")
    os.mkfifo(tmp_path / "b.py")
    reports = []

    found = list(
        find_files(tmp_path, ignore_syntax="glob", report=lambda *report: reports.append(report))
    )

    assert [file.relative_path for file in found] == ["a.py"]
    assert reports == [("b.py", f"{tmp_path / 'b.py'} is not a regular file and is left out")]


def test_a_file_whose_name_is_no_text_is_reported_and_left_out(tmp_path):
    write(tmp_path, a_py="")
    try:
        (tmp_path / "b\udcff.py").write_text("")
    except OSError:
        pytest.skip("this file system takes no such name")
    reports = []

    found = list(
        find_files(tmp_path, ignore_syntax="glob", report=lambda *report: reports.append(report))
    )

    assert [file.relative_path for file in found] == ["a.py"]
    assert "is not UTF-8" in reports[0][1]
    assert reports[0][1].encode()


def test_an_unknown_syntax_is_refused_by_name(tmp_path):
    (tmp_path / ".airflowignore").write_text("a")

    with pytest.raises(ValueError, match="regexp or glob"):
        list(find_files(tmp_path, ignore_syntax="perl"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"from airflow import DAG", True),
        (b"from tradewind.sdk import dag", True),
        (b"import pandas", False),
        (b"import airflow", False),
        (b"dag = 1", False),
    ],
)
def test_safe_mode_wants_dag_together_with_airflow_or_tradewind(text, expected):
    assert mentions_dag(text) is expected
