"""What parser manager and callback child tell each other: plain structs, as MessagePack."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct, msgpack

from .protocol import Ask, Mask
from .task_spec import TaskInstanceSpec


class CallbackOrder(Struct):
    """One message of the outbox, with what the callbacks are to see."""

    #: Written to the journal when all callbacks have been called.
    key: str
    path: str
    relative_path: str
    #: Folders that DAG files import from: the DAGs folder, plugins, config.
    import_folders: list[str]
    dag_id: str
    run_id: str
    #: dag_success, dag_failure, task_failure, task_retry, task_failure_mail, task_retry_mail,
    #: deadline, sla_miss, or listeners, for whom there is no file.
    kind: str
    #: Of the run (success, task_failure, all_tasks_deadlocked, timed_out), or why the try ended.
    reason: str
    #: The task instance whose context they get; None: there is none that a DAG's could get.
    spec: TaskInstanceSpec | None = None
    #: In which state that task instance is shown.
    state: str = "failed"
    #: Of a mail: what the task raised.
    traceback: str = ""
    #: Of a missed deadline: id, index among the DAG's, name, deadline_time, dag_run. A time of
    #: None: it is to be told by the alert's own reference; interval_s is added to that.
    deadline: dict[str, Any] = {}
    #: Of missed SLAs: missed, blocking, addresses, at.
    slas: dict[str, Any] = {}
    #: For listeners: what they are to hear, each with the name of its hook.
    events: list[dict[str, Any]] = []


class CallbackReport(Struct, tag="called"):
    """The child is done. ``error`` not empty: why the callbacks could not be called."""

    error: str = ""
    #: Nothing was called yet: that is to be done then.
    deadline_at: datetime | None = None


Message = CallbackReport | Ask | Mask

_encoder: Any = msgpack.Encoder()
encode = _encoder.encode
decode_order = msgpack.Decoder(CallbackOrder).decode
decode_message = msgpack.Decoder(Message).decode
