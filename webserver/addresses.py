"""Addresses for pages that have hundreds of them: the part that they share is built once."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import quote

from flask import g, url_for


@lru_cache(maxsize=4096)
def quoted(part: str) -> str:
    """Return one part of an address; whatever is no letter or digit is quoted."""
    return quote(part, safe="")


def dag_address(dag_id: str) -> str:
    """Return the address of a DAG; those of its tabs, acts and runs begin with it."""
    return f"{_dags_address()}/{quoted(dag_id)}"


def task_instances_of(dag_id: str, run_id: str) -> str:
    """Return the address of a run's task instances, to be followed by a quoted task id."""
    return f"{dag_address(dag_id)}/runs/{quoted(run_id)}/tasks/"


def tasks_of(dag_id: str) -> str:
    """Return the address of a DAG's tasks over all runs, to be followed by a quoted task id."""
    return f"{dag_address(dag_id)}/tasks/"


def _dags_address() -> str:
    # Asked of Flask once a request: behind a proxy it begins with the proxy's prefix.
    if "dags_address" not in g:
        g.dags_address = url_for("dags.index")
    return str(g.dags_address)
