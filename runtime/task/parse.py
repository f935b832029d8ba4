"""The parser child: imports one DAG file, serializes its DAGs, and says what it read.

It is forked from the zygote for one file and ends with it, so whatever the file does on import
(threads, ``sys.exit``, a crash, a changed environment) hurts nothing else. Descriptors: the
socket on which Variables and Connections are asked for, the socket that takes the one answer,
and the end of a pipe that takes all output. Time is limited here and, for code that cannot be
interrupted, by the manager; memory by the manager alone.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import msgspec

from ...sdk import task_runtime
from ...sdk.plugins import load_plugins
from . import frames, process_hygiene
from .dag_archive import source_text
from .dag_file import LoadedFile, hash_content, load_dag_file, prepare_import_paths
from .no_dag_reasons import explain_no_dag
from .parse_errors import describe_error
from .parse_messages import AnsweredDag, ParseAnswer, ParseRequest
from .recorded_inputs import InputRecorder, RecordingRuntime, ValueSource

if TYPE_CHECKING:
    from ...sdk.dag import DAG

WARNINGS_MAX = 50

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(ParseRequest).decode


class ImportTimeout(BaseException):
    """The import took too long. Not an ``Exception``: the file must not catch it by accident."""


def main(payload: bytes, fds: Sequence[int]) -> None:
    """Serve one request; called by the zygote in the forked child."""
    os.setsid()  # what the file starts is killed with it, by its group
    requests_fd, answer_fd, output_fd = (process_hygiene.keep_safe(fd) for fd in fds)
    os.dup2(output_fd, 1)
    os.dup2(output_fd, 2)
    os.close(output_fd)
    from .client import SocketRuntime

    requests = socket.socket(fileno=requests_fd)
    answer = parse(_decode(payload), SocketRuntime(requests))
    with socket.socket(fileno=answer_fd) as connection:
        frames.send(connection, _encode(answer))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # a thread or an exit handler of the file must not hold it up


def parse(request: ParseRequest, runtime: ValueSource) -> ParseAnswer:
    """Import the file that *request* names, in this process, and return what it gave.

    An error of the file is part of the answer; nothing is raised for it.
    """
    recorder = InputRecorder()
    recording_runtime: object = RecordingRuntime(runtime, recorder)
    task_runtime.current = recording_runtime  # type: ignore[assignment]
    answer = ParseAnswer()
    path = Path(request.path)
    prepare_import_paths(request.import_folders)
    if request.checks_plugins:
        return _check_plugins(answer, request)
    try:
        content = path.read_bytes()
    except OSError as error:
        answer.error = f"cannot read {path}: {error.strerror or error}"
        return answer
    answer.content_hash = hash_content(content)
    answer.source = source_text(content, path)
    try:
        with (
            _collecting_warnings(answer.warnings),
            recorder.recording(),
            _time_limit(request.import_timeout_s, request.path),
        ):
            loaded = load_dag_file(path)
            answer.content_hash = loaded.content_hash
            _fill(answer, loaded, request, answer.source)
    except BaseException as error:  # noqa: BLE001 - any way in which a user's file can end
        answer.error = describe_error(error, request)
    answer.inputs = recorder.inputs()
    answer.inputs.files.pop(request.path, None)  # its own hash is known already
    return answer


def _check_plugins(answer: ParseAnswer, request: ParseRequest) -> ParseAnswer:
    try:
        with _time_limit(request.import_timeout_s, request.path):
            plugins = load_plugins()
    except ImportTimeout as error:
        answer.error = str(error)
        return answer
    answer.plugin_errors = dict(plugins.errors)
    answer.hooks = plugins.listeners.hooks()
    return answer


def _fill(answer: ParseAnswer, loaded: LoadedFile, request: ParseRequest, source: str) -> None:
    if request.next_runs:
        from .parse_next_run import plan_requested_runs

        answer.next_runs = plan_requested_runs(loaded.dags, request.next_runs)
        return
    errors = list(loaded.refusals)
    errors += [
        f"AirflowDagDuplicatedIdException: two DAGs of this file are named {dag_id}"
        for dag_id in loaded.duplicate_dag_ids
    ]
    for dag_id, dag in loaded.dags.items():
        if dag_id in loaded.duplicate_dag_ids:
            continue
        try:
            answer.dags.append(_serialize(dag, request.relative_path))
        except Exception as error:  # noqa: BLE001 - one bad DAG; the others of the file still load
            errors.append(f"DAG {dag_id}: {describe_error(error, request)}")
    answer.error = "\n".join(errors)
    if not loaded.dags and not errors:
        answer.no_dag_reason = (
            "a cluster policy leaves its DAGs out"
            if loaded.skipped_dag_ids
            else explain_no_dag(source)
        )


def _serialize(dag: DAG, relative_path: str) -> AnsweredDag:
    from ...sdk.executor_names import require_executors
    from ...sdk.serialize_dag import serialize
    from ...sdk.serialize_watchers import watchers_of
    from ...sdk.serialized import encode

    require_executors(dag.tasks)

    serialized = encode(serialize(dag, relative_fileloc=relative_path))
    return AnsweredDag(dag.dag_id, serialized, watchers_of(dag))


@contextmanager
def _time_limit(limit_s: float, path: str) -> Iterator[None]:
    if limit_s <= 0:
        yield
        return

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise ImportTimeout(
            f"importing {path} took longer than {limit_s:g} s"
            " (setting [core] dagbag_import_timeout); keep slow work out of the file's top level"
        )

    process_hygiene.set_handler(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, limit_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


@contextmanager
def _collecting_warnings(collected: list[str]) -> Iterator[None]:
    def collect(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: object = None,
        line: str | None = None,
    ) -> None:
        text = f"{filename}:{lineno}: {category.__name__}: {message}"
        if len(collected) < WARNINGS_MAX and text not in collected:
            collected.append(text)

    with warnings.catch_warnings():
        warnings.showwarning = collect
        yield
