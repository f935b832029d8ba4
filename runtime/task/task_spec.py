"""What a task process is told, and what it answers: plain values that cross its socket.

The runner makes a ``TaskInstanceSpec`` out of a claim, and an ``AttemptResult`` out of a
``TaskResult``; ``dag.test()`` makes and reads both in memory.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec


class TaskInstanceSpec(msgspec.Struct, omit_defaults=True):
    """One try of one task instance. ``map_index`` is -1 where the task is not mapped."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int = -1
    #: Number of its row; 0 where there is no database.
    task_instance_id: int = 0
    try_number: int = 1
    #: ``max_tries`` of Airflow: the try is repeated while ``try_number <= tries_max``.
    tries_max: int = 0
    #: Counts hand-outs. At the first one there is nothing of earlier tries to remove.
    epoch: int = 1
    relative_fileloc: str = ""
    fileloc: str = ""
    #: The dag run, as columns (see ``database.values.Claim.dag_run``).
    dag_run: dict[str, Any] = {}
    #: Element counts of the mapped arguments of this task (or of its mapped group).
    mapped_lengths: list[int] = []
    #: task id → number of instances, for mapped tasks that this one can see.
    upstream_counts: dict[str, int] = {}
    #: Resumed from a deferral: the method to go on at, and its arguments (encoded as an XCom).
    next_method: str | None = None
    next_kwargs: str | None = None
    #: First start of this try (kept over reschedules); None: it starts now.
    started_at: datetime | None = None
    first_reschedule_at: datetime | None = None
    reschedule_count: int = 0
    queued_at: datetime | None = None
    queue: str = "default"
    pool: str = "default_pool"
    pool_slots: int = 1
    priority_weight: int = 1
    hostname: str = ""
    #: ``tasks test``: shown to user code as ``test_mode``.
    is_test: bool = False


class EncodedXCom(msgspec.Struct):
    """One XCom that goes with the result. ``length``: elements of a list or dict, else None."""

    key: str
    value: str
    length: int | None = None


class TaskResult(msgspec.Struct, omit_defaults=True):
    """How the task ended, as its process sees it. All texts are masked.

    ``outcome``: success, skipped, failed (repeated if tries are left), failed_final (never
    repeated), rescheduled (``due_at``) or deferred (``trigger``).
    """

    outcome: str
    #: One line for people: the exception's text.
    reason: str = ""
    traceback: str = ""
    xcoms: list[EncodedXCom] = []
    #: Ids of tasks that a branch or short circuit skips at once.
    skip_task_ids: list[str] = []
    due_at: datetime | None = None
    trigger: dict[str, Any] | None = None
    rendered_fields: dict[str, Any] | None = None
    rendered_map_index: str | None = None
    asset_events: list[dict[str, Any]] = []
    #: Hash of the file that ran; whoever loaded the file fills it in.
    code_hash: str = ""
    #: False: it ended before its callbacks could be called (the file or the task is not there).
    has_run_callbacks: bool = True


encode_spec = msgspec.msgpack.Encoder().encode
decode_spec = msgspec.msgpack.Decoder(TaskInstanceSpec).decode
encode_result = msgspec.msgpack.Encoder().encode
decode_result = msgspec.msgpack.Decoder(TaskResult).decode
