"""Extra links: the buttons that operators give their task instances.

The task process worked the addresses out and left them as XComs; no code of an operator runs here.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from .. import system_answers as s
from ..call import Call
from ..operation import Face, Query, operation
from .task_instances import TASK, find_instance

_SCHEMES = frozenset({"http", "https"})


@operation(
    "GET",
    "read",
    v1=Face(
        "get_extra_links",
        f"{TASK}/links",
        (Query("map_index", "integer", default=-1),),
        answer=s.ExtraLinkCollectionV1,
        errors=(404,),
        tag="TaskInstance",
    ),
    v2=Face(
        "get_extra_links",
        f"{TASK}/links",
        (Query("map_index", "integer", default=-1), Query("try_number", "integer")),
        answer=s.ExtraLinkCollectionResponse,
        errors=(404,),
        tag="Extra Links",
    ),
)
def get_extra_links(call: Call) -> Any:
    """List the links of a task instance; an address that it has not left yet is null."""
    row = find_instance(call)
    version = call.store.listings.versions([row.version_id])[row.version_id].version
    task = version.structure.tasks.get(row.task_id)
    keys = {} if task is None else task.extra_link_keys
    left = call.store.xcoms.list(row.dag_id, row.run_id, row.task_id, row.map_index)
    addresses = {one.key: _address(one.value) for one in left} if keys else {}
    found = {name: addresses.get(key) for name, key in sorted(keys.items())}
    if call.version == 1:
        about = s.ClassReference(
            module_path=task.task_module if task else "", class_name=task.task_type if task else ""
        )
        links = [s.ExtraLink(class_ref=about, name=name, href=to) for name, to in found.items()]
        return s.ExtraLinkCollectionV1(extra_links=links, total_entries=len(links))
    return s.ExtraLinkCollectionResponse(extra_links=found, total_entries=len(found))


def _address(text: str) -> str | None:
    """Return an address that a browser may be sent to, None: it is no such address."""
    value = json.loads(text)
    is_address = isinstance(value, str) and urlsplit(value).scheme in _SCHEMES
    return value if is_address else None
