"""Zip files in the DAGs folder: found, imported, and shown as other DAG files are."""

import zipfile

import pytest
from tradewind.runtime.supervise.zygote_client import ZygoteClient
from tradewind.runtime.task.parse_messages import ParseRequest
from tradewind.scheduler.discovery import find_files, read_content
from tradewind.scheduler.parse_children import ParseChildren, ParseLimits
from tradewind.sdk.clock import WallClock
from tradewind.sdk.serialized import decode

DAG = """
from airflow import DAG
from airflow.operators.bash import BashOperator
from acme.names import NAME

with DAG(NAME, schedule=None):
    BashOperator(task_id="one", bash_command="true")
"""


def pack(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


@pytest.fixture
def parse(tmp_path):
    children = ParseChildren(
        ZygoteClient(), WallClock(), lambda message: None, ParseLimits(20, 2**30)
    )
    children.start()

    def parse_archive(path):
        children.fork(
            ParseRequest(path=str(path), relative_path=path.name, import_folders=[str(path.parent)])
        )
        while True:
            for finished in children.wait(1.0):
                return finished

    yield parse_archive
    children.stop()


def test_dag_files_at_the_top_of_an_archive_are_imported_with_their_packages(parse, tmp_path):
    path = pack(
        tmp_path / "pack.zip",
        {
            "first.py": DAG,
            "second.py": DAG.replace("NAME, ", "'second', "),
            "helper.py": "raise RuntimeError('says nothing of our kind: never imported')",
            "acme/__init__.py": "",
            "acme/names.py": "NAME = 'first'",
        },
    )

    answer = parse(path).answer

    assert answer.error == ""
    assert [dag.dag_id for dag in answer.dags] == ["first", "second"]
    serialized = decode(answer.dags[0].serialized)
    assert serialized.relative_fileloc == "pack.zip"
    assert serialized.dialect == "2"
    assert "# --- pack.zip/second.py" in answer.source


def test_an_error_shows_the_file_of_the_archive_and_its_line(parse, tmp_path):
    path = pack(
        tmp_path / "pack.zip", {"broken.py": "from airflow import DAG\n\n1 / 0  # the cause\n"}
    )

    error = parse(path).answer.error

    assert f'{path}/broken.py", line 3' in error
    assert "1 / 0  # the cause" in error
    assert "runtime/task" not in error


def test_a_file_that_is_no_archive_says_so(parse, tmp_path):
    path = tmp_path / "pack.zip"
    path.write_text("airflow dag, but no archive")

    assert "cannot read the archive" in parse(path).answer.error


def test_archives_are_found_and_ignored_as_files_are(tmp_path):
    pack(tmp_path / "pack.zip", {"first.py": DAG})
    pack(tmp_path / "data.zip", {"rows.py": "x = 1"})
    pack(tmp_path / "old.zip", {"first.py": DAG})
    (tmp_path / ".airflowignore").write_text("old.*\n")

    found = {one.relative_path: one for one in find_files(tmp_path, ignore_syntax="glob")}

    assert sorted(found) == ["data.zip", "old.zip", "pack.zip"]
    assert "left out by .airflowignore" in found["old.zip"].ignored_reason
    assert read_content(found["pack.zip"].path).mentions_dag
    assert not read_content(found["data.zip"].path).mentions_dag
