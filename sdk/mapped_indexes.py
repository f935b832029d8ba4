"""Which instance of a mapped upstream belongs to the running instance (semantics section 3.6).

The map index of a task inside nested mapped groups counts the innermost group fastest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .abstract_operator import AbstractOperator
    from .task_group import MappedTaskGroup


def map_index_of_producer(producer: AbstractOperator, context: Mapping[str, Any]) -> int | None:
    """Return the map index whose value the running instance gets; None: all of them.

    -1 is the index of a task that is not mapped.
    """
    consumer = context["task"]
    made_in = list(producer.iter_mapped_task_groups())[::-1]
    used_in = list(consumer.iter_mapped_task_groups())[::-1]
    shared = 0
    while shared < min(len(made_in), len(used_in)) and made_in[shared] is used_in[shared]:
        shared += 1
    if producer.is_mapped or len(made_in) > shared:
        return None
    if shared == 0:
        return -1
    return index_at_level(used_in, shared, context)


def index_at_level(groups: list[MappedTaskGroup], level: int, context: Mapping[str, Any]) -> int:
    """Return the index that the running instance has in the outermost *level* of *groups*."""
    index = int(context["ti"].map_index)
    for group in groups[level:]:
        index //= max(group.expand_input.length(context), 1)
    return index
