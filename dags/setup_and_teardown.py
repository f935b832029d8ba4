"""Setup and teardown: what was set up is taken down, whatever becomes of the work between."""

import shutil
import tempfile
from datetime import datetime
from pathlib import Path

from airflow.sdk import dag, setup, task, teardown


@dag(schedule=None, start_date=datetime(2024, 1, 1), tags=["example"])
def setup_and_teardown():
    @setup
    def make_workspace() -> str:
        return tempfile.mkdtemp(prefix="tradewind_example_")

    @task
    def write_report(workspace: str) -> int:
        report = Path(workspace) / "report.txt"
        report.write_text("all is well\n")
        return report.stat().st_size

    @teardown
    def remove_workspace(workspace: str):
        shutil.rmtree(workspace)
        print(f"removed {workspace}")

    workspace = make_workspace()
    write_report(workspace) >> remove_workspace(workspace)


setup_and_teardown_dag = setup_and_teardown()

if __name__ == "__main__":
    setup_and_teardown_dag.test()
