"""Tells listeners of plugins what becomes of the task in whose process they are.

Source: ``spec/semantics.md`` section 5.10. The order is Airflow 3's: after the callbacks.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

from ...sdk.operator_link import links_of
from ...sdk.states import TaskInstanceState

if TYPE_CHECKING:
    from ...sdk.listeners import Listeners
    from ...sdk.task_instance import RuntimeTaskInstance

_S = TaskInstanceState
_PLUGINS = f"{__package__.rsplit('.', 2)[0]}.sdk.plugins"


def tell_begin(ti: RuntimeTaskInstance) -> None:
    """The task is about to run."""
    listeners = listeners_here()
    if listeners is None:
        return
    from ...sdk.listeners import TaskRunnerMarker

    listeners.call("on_starting", component=TaskRunnerMarker())
    listeners.call("on_task_instance_running", previous_state=_S.QUEUED, task_instance=ti)


def tell_end(ti: RuntimeTaskInstance, error: BaseException | None) -> None:
    """The try has ended; a failure is told, too, where the task will be tried again."""
    listeners = listeners_here()
    if listeners is None:
        return
    from ...sdk.listeners import TaskRunnerMarker

    told: dict[str, Any] = {"previous_state": _S.RUNNING, "task_instance": ti}
    if ti.state == _S.SUCCESS:
        listeners.call("on_task_instance_success", **told)
    elif ti.state == _S.SKIPPED:
        listeners.call("on_task_instance_skipped", **told)
    elif ti.state in (_S.FAILED, _S.UP_FOR_RETRY):
        listeners.call("on_task_instance_failed", **told, error=error)
    listeners.call("before_stopping", component=TaskRunnerMarker())


def listeners_here() -> Listeners | None:
    """Return the listeners of plugins that this process has loaded, None where there are none."""
    loaded = sys.modules.get(_PLUGINS)  # not imported: without plugins nobody pays for them
    if loaded is None:
        return None
    listeners: Listeners = loaded.known_plugins().listeners
    return listeners if listeners.hooks() else None


def keep_links(ti: RuntimeTaskInstance, operator: Any, log: logging.Logger) -> None:
    """Store where the operator's links lead, each as the XCom that its class names (Airflow 3)."""
    if ti.state not in (_S.SUCCESS, _S.FAILED, _S.UP_FOR_RETRY):
        return
    for link in links_of(type(operator)).values():
        try:
            address = link.get_link(operator, ti_key=ti.key)
            ti.xcom_push(link.xcom_key, address)
        except Exception:  # user code; the task has ended as it has
            log.exception("The link %r of the operator cannot be made", link.name)
