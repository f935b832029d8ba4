"""What the documents show works as it stands there, and so do the example DAGs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
PROGRAMS = [
    pytest.param(block, id=f"{document.name}-{number}")
    for document in DOCUMENTS
    for number, block in enumerate(BLOCK.findall(document.read_text()))
    if "dag.test()" in block
]
#: The one example that needs a second DAG of the server's to be started.
NOT_ALONE = {"trigger_another_dag.py"}
EXAMPLES = sorted(p for p in (ROOT / "dags").glob("*.py") if p.name not in NOT_ALONE)


def run_program(path: Path, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "TRADE"))}
    return subprocess.run(
        [sys.executable, path],
        env={**environment, "TRADEWIND_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_dag_in_the_documents_runs_as_a_program(program: str, tmp_path: Path) -> None:
    path = tmp_path / "shown.py"
    path.write_text(program)

    done = run_program(path, tmp_path)

    assert done.returncode == 0, done.stderr
    assert "run success" in done.stdout


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_dag_runs_as_a_program(example: Path, tmp_path: Path) -> None:
    done = run_program(example, tmp_path)

    assert done.returncode == 0, done.stderr
    assert "run success" in done.stdout


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_of_the_documents_lead_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", document.read_text())

    assert [target for target in targets if not (document.parent / target).exists()] == []
