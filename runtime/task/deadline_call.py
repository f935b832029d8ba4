"""Calls what is to be called when a run is late (semantics section 10.5)."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ...sdk.deadline import AsyncCallback, BaseDeadlineReference, Callback
from ...sdk.exceptions import AirflowException
from ...sdk.notifier import BaseNotifier

if TYPE_CHECKING:
    from ...sdk.dag import DAG


def call_deadline(dag: DAG, told: Mapping[str, Any]) -> datetime | None:
    """Call the callback of one of the DAG's alerts, or say when that is to be done.

    Args:
        told: index of the alert, name, id, deadline_time, and the run's fields as ``dag_run``.
            Without a time the alert's own reference is asked for it.

    Returns:
        The deadline, where it has only now become known; nothing was called then.

    Raises:
        AirflowException: the file no longer has that alert.
        Exception: whatever the callback raises; it is called again later, a few times.
    """
    alerts = dag.deadline or []
    index = int(told["index"])
    if index >= len(alerts) or (alerts[index].name or "") != told["name"]:
        raise AirflowException(f"DAG {dag.dag_id!r} no longer has the deadline alert {index}")
    run = told["dag_run"]
    if told["deadline_time"] is None:
        reference: BaseDeadlineReference = alerts[index].reference
        return reference.evaluate_with(
            interval=timedelta(seconds=told["interval_s"]),
            dag_id=run["dag_id"],
            run_id=run["run_id"],
        )
    callback: Callback = alerts[index].callback
    context = {
        "dag_run": dict(run),
        "deadline": {"id": told["id"], "deadline_time": told["deadline_time"]},
    }
    _call(callback, callback.resolve(), _rendered(dag, callback.kwargs, context), context)
    return None


def _call(callback: Callback, target: Any, kwargs: dict[str, Any], context: dict[str, Any]) -> None:
    is_async = isinstance(callback, AsyncCallback)
    if isinstance(target, type) and issubclass(target, BaseNotifier):
        notifier = target(**kwargs)
        notifier.render_template_fields(context)
        if is_async and type(notifier).async_notify is not BaseNotifier.async_notify:
            _run(notifier.async_notify(context))
        else:
            notifier.notify(context)
        return
    if _takes_context(target):
        kwargs = {**kwargs, "context": context}
    result = target(**kwargs)
    if inspect.isawaitable(result):
        _run(result)


def _run(result: Any) -> None:
    import asyncio  # late: 2 MB that the zygote, and so all forked from it, would carry

    async def awaited() -> None:
        await result

    asyncio.run(awaited())


def _takes_context(target: Any) -> bool:
    try:
        parameters = inspect.signature(target).parameters
    except (TypeError, ValueError):
        return False
    return "context" in parameters or any(
        parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()
    )


def _rendered(dag: DAG, kwargs: Mapping[str, Any], context: dict[str, Any]) -> dict[str, Any]:
    from ...sdk.template_environment import render
    from ...sdk.templates import environment_for

    environment = environment_for(dag)
    return {
        name: render(environment.from_string(value), context)
        if isinstance(value, str) and "{" in value
        else value
        for name, value in kwargs.items()
    }
