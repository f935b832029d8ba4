"""``celery``: workers of the Celery executor, and what can be asked of them."""

from __future__ import annotations

from typing import Any

import click

from .command import command, output_option, yes_option
from .lazy_group import LazyGroup

celery = LazyGroup(
    "celery",
    {
        "worker": ("celery_worker:worker", "Start a worker."),
        "stop": (
            "celery_worker:stop",
            "Stop the worker of this machine when its tasks have ended.",
        ),
        "flower": ("celery_flower:flower", "Start Flower, Celery's own page."),
        "list-workers": ("celery:list_workers", "List the workers that answer."),
        "shutdown-worker": ("celery:shutdown_worker", "Stop one worker, wherever it is."),
        "shutdown-all-workers": ("celery:shutdown_all_workers", "Stop all workers."),
        "add-queue": ("celery:add_queue", "Let a worker listen to one more queue."),
        "remove-queue": ("celery:remove_queue", "Let a worker stop listening to a queue."),
        "remove-all-queues": ("celery:remove_all_queues", "Let a worker stop listening."),
    },
    help="Workers of the Celery executor.",
)

_NAME = click.option(
    "-H", "--celery-hostname", "name", required=True, help="As list-workers shows."
)
_QUEUES = click.option("-q", "--queues", required=True, help="Names, separated by commas.")


def queue_names(text: str) -> list[str]:
    """Return the names in a list with commas; a repeated one counts once."""
    return list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


@command("list-workers")
@output_option
def list_workers(output: str) -> None:
    """List the workers that answer, and the queues that they listen to."""
    from ..executors.celery import remote
    from .output import print_rows

    rows = [{"worker_name": name, "queues": queues} for name, queues in remote.list_workers(_app())]
    print_rows(rows, output)


@command("shutdown-worker")
@_NAME
def shutdown_worker(name: str) -> None:
    """Stop one worker; its tasks may end in their own time."""
    from ..executors.celery import remote

    remote.shutdown(_app(), [name])


@command("shutdown-all-workers")
@yes_option
def shutdown_all_workers(yes: bool) -> None:
    """Stop all workers; their tasks may end in their own time."""
    from ..executors.celery import remote
    from .command import confirm

    if confirm("Stop all Celery workers?", is_agreed=yes):
        remote.shutdown(_app(), None)
    else:
        click.echo("Cancelled.", err=True)


@command("add-queue")
@_NAME
@_QUEUES
def add_queue(name: str, queues: str) -> None:
    """Let a running worker listen to more queues."""
    from ..executors.celery import remote

    remote.add_queues(_app(), name, queue_names(queues))


@command("remove-queue")
@_NAME
@_QUEUES
def remove_queue(name: str, queues: str) -> None:
    """Let a running worker stop listening to queues."""
    from ..executors.celery import remote

    remote.remove_queues(_app(), name, queue_names(queues))


@command("remove-all-queues")
@_NAME
def remove_all_queues(name: str) -> None:
    """Let a running worker stop listening to all its queues."""
    from ..executors.celery import remote

    gone = remote.remove_queues(_app(), name, None)
    click.echo(f"{name} listens no more to: {', '.join(gone) or 'nothing'}")


def _app() -> Any:  # a celery.Celery
    from ..executors.loading import require_celery

    require_celery()
    from ..executors.celery.app import check_broker, make_app

    app = make_app()
    check_broker(app)
    return app
