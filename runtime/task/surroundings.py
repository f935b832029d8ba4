"""What a task finds around it, and what is put back when it is over.

A task process ends with its task, but ``dag.test()`` runs many in one process: environment,
runtime slot and log filters are as they were before.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ...sdk import task_runtime
from ...sdk.cluster_policies import more_context_variables
from ...sdk.context_variables import variables_of
from ...sdk.secrets_masker import masker
from ...sdk.task_instance import RuntimeTaskInstance


@contextmanager
def task_surroundings(
    runtime: task_runtime.TaskRuntime, *, is_own_process: bool = False
) -> Iterator[None]:
    """Let user code reach *runtime*, and mask secrets in what it logs.

    Args:
        is_own_process: this process ends with the task: nothing need be put back.
    """
    if is_own_process:
        task_runtime.current = runtime
        for handler in logging.getLogger().handlers:
            handler.addFilter(masker)
        yield
        return
    before = task_runtime.current
    task_runtime.current = runtime
    environment_before = dict(os.environ)
    handlers = list(logging.getLogger().handlers)
    for handler in handlers:
        handler.addFilter(masker)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(masker)
        _restore_environment(environment_before)
        task_runtime.current = before


def _restore_environment(before: Mapping[str, str]) -> None:
    for name in set(os.environ) - set(before):
        del os.environ[name]
    for name, value in before.items():
        if os.environ.get(name) != value:
            os.environ[name] = value


def export_context(ti: RuntimeTaskInstance, epoch: int, context: Mapping[str, Any]) -> None:
    """Put ``AIRFLOW_CTX_…`` into the environment, where programs that the task starts see it.

    Args:
        epoch: of this hand-out; no other start of the task instance has the same, so that user
            code can make its writes idempotent (``reliability.md`` G-E11).
    """
    os.environ["TRADEWIND_CTX_EPOCH"] = str(epoch)
    for name, value in variables_of(ti).items():
        os.environ[f"AIRFLOW_CTX_{name}"] = value.replace("\0", "")
    os.environ.update(more_context_variables(context))
