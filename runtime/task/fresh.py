"""A task process in a fresh interpreter, for DAG files that must not be forked from a host.

``python -m tradewind.runtime.task.fresh SOCKET OUTPUT JOURNAL``: the first frame on the socket says
which file and which task; from then on it speaks like any other task process.
"""

from __future__ import annotations

import faulthandler
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from ...sdk import task_runtime
from . import child, dag_file, frames, process_hygiene, protocol, task_output
from .client import SocketRuntime


def main(arguments: Sequence[str]) -> None:
    """Run the one task that the first frame names, and leave."""
    process_hygiene.die_with_parent(os.getppid())
    connection = socket.socket(fileno=int(arguments[0]))
    output, journal = int(arguments[1]), int(arguments[2])
    for number in (
        connection.fileno(),
        output,
        journal,
    ):  # programs that the task starts get neither
        os.set_inheritable(number, False)
    message, _ = frames.receive(connection)
    fresh = protocol.decode_fresh_task(message)
    order = fresh.order
    child.mark_process(order.key)
    task_output.install_output(*task_output.log_settings())
    faulthandler.enable()
    task_runtime.current = SocketRuntime(connection, order.nonce)
    sys.argv = ["tradewind"]
    folders = [Path(folder) for folder in fresh.start.import_folders]
    dag_file.prepare_import_paths(folders)
    try:
        loaded = dag_file.load_dag_file(Path(fresh.start.path), folders)
    except BaseException as error:  # noqa: BLE001 - also SystemExit: the file's fault
        child.log.exception("Cannot import %s", fresh.start.path)
        reason = f"cannot import {fresh.start.relative_path}: {error!r}"
        is_absent = not Path(fresh.start.path).exists()
        child.report_failure(connection, order, reason, is_absent=is_absent)
        child.leave(0)
    child.run(
        order,
        connection=connection,
        output=output,
        journal=journal,
        dags=loaded.dags,
        content_hash=loaded.content_hash,
    )


if __name__ == "__main__":
    main(sys.argv[1:])
