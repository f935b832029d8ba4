"""What a task may return: several outputs, and elements that other tasks are mapped over.

Source: ``spec/semantics.md`` sections 3.4 and 3.5.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...sdk import xcom_serialization
from ...sdk.configuration import conf
from ...sdk.exceptions import (
    UnmappableXComLengthPushed,
    UnmappableXComTypePushed,
    XComForMappingNotPushed,
)
from ...sdk.xcom_arg import XCOM_RETURN_KEY
from ...sdk.xcom_serialization import length_of

if TYPE_CHECKING:
    from ...sdk.dag import DAG


def outputs_of(task_id: str, value: Any) -> dict[str, Any]:
    """Return the entries of a result with multiple outputs.

    Raises:
        TypeError: it is no mapping, or a key is no text.
    """
    if not isinstance(value, Mapping):
        raise TypeError(
            f"the task {task_id!r} has multiple_outputs, so it must return a dict, "
            f"not a {type(value).__name__}"
        )
    for key in value:
        if not isinstance(key, str):
            raise TypeError(
                f"the task {task_id!r} has multiple_outputs, so the keys of its result must be "
                f"texts; {key!r} is a {type(key).__name__}"
            )
    return dict(value)


def check_mappable(dag: DAG, task: Any, value: Any) -> None:
    """Refuse a result without elements where others are mapped over it.

    Raises:
        XComForMappingNotPushed: it is None.
        UnmappableXComTypePushed: it has no elements.
        UnmappableXComLengthPushed: it has more than ``[core] max_map_length``.
    """
    if not _is_mapped_over(dag, task):
        return
    if value is None:
        raise XComForMappingNotPushed
    length = length_of(value)
    if length is None:
        raise UnmappableXComTypePushed(value)
    length_max = conf.getint("core", "max_map_length", fallback=1024)
    if length > length_max:
        raise UnmappableXComLengthPushed(value, length_max)


def _is_mapped_over(dag: DAG, task: Any) -> bool:
    """Tell whether a task or group directly below is mapped over the result of *task*."""
    for task_id in task.downstream_task_ids:
        below = dag.get_task(task_id)
        inputs = [group.expand_input for group in below.iter_mapped_task_groups()]
        if below.is_mapped:
            inputs.append(below.expand_input)  # type: ignore[attr-defined]
        for one in inputs:
            for operator, key in one.iter_references():
                if operator.task_id == task.task_id and key == XCOM_RETURN_KEY:
                    return True
    return False


def asset_events_of(context: Any, log: logging.Logger) -> list[dict[str, Any]]:
    """Return the asset events that a task has made, each with an extra that can be stored."""
    events: list[dict[str, Any]] = []
    for event in context["outlet_events"].as_results():
        try:
            events.append({**event, "extra": xcom_serialization.serialize(event["extra"])})
        except (TypeError, AttributeError) as error:
            log.warning("The extra of the asset event cannot be stored: %s", error)
            events.append({**event, "extra": {}})
    return events
