"""``dags test``: a whole DAG in this process, in memory: no server, no database, no set-up."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .command import INSTANT, command, folder_options

if TYPE_CHECKING:
    from ..runtime.memory_run import MemoryDagRun


@command("test")
@click.argument("dag_id")
@click.argument("logical_date", type=INSTANT, required=False)
@click.option("-c", "--conf", metavar="JSON", help="Configuration of the run.")
@click.option("-f", "--dagfile-path", metavar="FILE", help="The file that declares the DAG.")
@click.option("--mark-success-pattern", metavar="REGEX", help="Tasks that succeed without running.")
@click.option("--show-dagrun", is_flag=True, help="Print the graph as DOT at the end.")
@click.option("--save-dagrun", metavar="FILE", help="Save the graph at the end.")
@click.option("--imgcat-dagrun", is_flag=True, hidden=True)
@click.option("--use-executor", is_flag=True, help="Accepted: all runs in this process.")
@folder_options
def test(
    dag_id: str,
    logical_date: datetime | None,
    conf: str | None,
    dagfile_path: str | None,
    mark_success_pattern: str | None,
    show_dagrun: bool,
    save_dagrun: str | None,
    imgcat_dagrun: bool,
    use_executor: bool,
    subdir: str | None,
    bundle_name: tuple[str, ...],
) -> None:
    """Run DAG_ID here, task by task; exits with 1 when the run fails."""
    from ..control.input import compile_pattern, parse_json_object
    from .load_dag import load_dag
    from .task_console import log_to_stdout, stored_values

    decoded = parse_json_object(conf, "--conf")
    if mark_success_pattern is not None:
        compile_pattern(mark_success_pattern, "--mark-success-pattern")
    log_to_stdout()
    dag = load_dag(dag_id, dagfile_path or subdir)
    given: dict[str, Any] = {} if logical_date is None else {"logical_date": logical_date}
    with stored_values() as values:
        run: MemoryDagRun = dag.test(
            run_conf=decoded,
            mark_success_pattern=mark_success_pattern,
            use_executor=use_executor,
            find_variable=values.find_variable,
            find_connection=values.find_connection,
            report=click.echo,
            **given,
        )
    _show(run, show_dagrun, save_dagrun)
    if run.state != "success":
        raise click.ClickException("DagRun failed")


def _show(run: MemoryDagRun, is_shown: bool, path: str | None) -> None:
    if not is_shown and not path:
        return
    from .dags_show import save_picture, to_dot

    dag = run.structure.dag
    if is_shown:
        click.echo(to_dot(dag))
    if path:
        save_picture(dag, Path(path))
        click.echo(f"File {path} saved")
