"""``dags list-jobs``: the services of the last day, under Airflow's names of jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .command import command, output_option, services
from .output import print_rows

if TYPE_CHECKING:
    from ..control.services import Services

STATES = ("running", "success", "restarting", "failed")
#: What became of a runner, in Airflow's words.
RUNNER_STATES = {"alive": "running", "stopped": "success", "lost": "failed"}


@command("list-jobs")
@click.option("-d", "--dag-id", help="Accepted; jobs belong to no DAG.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many.")
@click.option("--state", type=click.Choice(STATES), help="Only jobs in this state.")
@output_option
def list_jobs(dag_id: str | None, limit: int | None, state: str | None, output: str) -> None:
    """List schedulers, parsers, triggerers and runners, the newest first."""
    with services() as opened:
        if dag_id is not None:
            opened.store.dags.get(dag_id)
        jobs = _jobs(opened)
    if dag_id is not None:
        click.echo("Jobs belong to no DAG; 'tasks states-for-dag-run' shows its tasks.", err=True)
        jobs = []
    jobs.sort(key=lambda job: job["start_date"], reverse=True)
    print_rows([job for job in jobs if state in (None, job["state"])][:limit], output)


def _jobs(services: Services) -> list[dict[str, Any]]:
    from .jobs import KINDS
    from .server import is_silent

    names = {kind: name for name, kind in reversed(KINDS.items())}
    jobs = []
    for row in services.store.processes.list():
        has_gone = is_silent(row.beat_at, services.now())
        jobs.append(
            _job(
                names.get(row.kind, row.kind),
                "failed" if has_gone else "running",
                row.started_at,
                row.beat_at if has_gone else None,
            )
        )
    for worker in services.store.workers.list(tuple(RUNNER_STATES)):
        state = RUNNER_STATES.get(worker.state, worker.state)
        jobs.append(_job(names["runner"], state, worker.started_at, worker.stopped_at))
    return jobs


def _job(job_type: str, state: str, started_at: Any, ended_at: Any) -> dict[str, Any]:
    return {
        "dag_id": "",
        "state": state,
        "job_type": job_type,
        "start_date": started_at,
        "end_date": ended_at,
    }
