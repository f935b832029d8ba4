"""Every act of a page as a command, and as a call of the API, to be copied.

What stands there does the same as the button beside it: pages teach scripts.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from flask import request

PROGRAM = "tradewind"


def here(act: str, **about: Any) -> list[tuple[str, str]]:
    """Return what ``equivalents`` gives for the server that answers this request."""
    return equivalents(act, request.url_root.rstrip("/"), about)


def equivalents(act: str, address: str, about: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return (label, text) pairs for one act; [] where neither command nor call does the same.

    Args:
        act: a function below, without its underscore.
    """
    known = _ACTS.get(act)
    if known is None:
        return []
    command, call = known(about)
    found = []
    if command:
        found.append(("Command", " ".join(shlex.quote(str(one)) for one in (PROGRAM, *command))))
    if call:
        found.append(("API", _curl(address, *call)))
    return found


Call = tuple[str, str, Mapping[str, Any] | None]
Pair = tuple[list[Any], Call | None]


def _curl(address: str, method: str, path: str, body: Mapping[str, Any] | None) -> str:
    parts = ["curl", "-X", method, f"{address}/api/v2{path}", "-H"]
    text = " ".join(shlex.quote(one) for one in parts)
    # In double quotes: the shell is to put the token in.
    text += ' "Authorization: Bearer $TOKEN"'
    if body is not None:
        text += " -H 'Content-Type: application/json' -d "
        text += shlex.quote(json.dumps(body, ensure_ascii=False))
    return text


def _dag(about: Mapping[str, Any]) -> str:
    return f"/dags/{quote(about['dag_id'], safe='')}"


def _run(about: Mapping[str, Any]) -> str:
    return f"{_dag(about)}/dagRuns/{quote(about['run_id'], safe='')}"


def _trigger(about: Mapping[str, Any]) -> Pair:
    command = ["dags", "trigger", about["dag_id"]]
    body: dict[str, Any] = {"logical_date": about.get("logical_date") or None}
    if about.get("run_id"):
        command += ["--run-id", about["run_id"]]
        body["dag_run_id"] = about["run_id"]
    if about.get("logical_date"):
        command += ["--logical-date", about["logical_date"]]
    if about.get("conf"):
        command += ["--conf", json.dumps(about["conf"], ensure_ascii=False)]
        body["conf"] = about["conf"]
    if about.get("note"):
        body["note"] = about["note"]
    return command, ("POST", f"{_dag(about)}/dagRuns", body)


def _pause(about: Mapping[str, Any]) -> Pair:
    verb = "pause" if about["is_paused"] else "unpause"
    call = ("PATCH", _dag(about), {"is_paused": bool(about["is_paused"])})
    return ["dags", verb, about["dag_id"]], call


def _clear(about: Mapping[str, Any]) -> Pair:
    body: dict[str, Any] = {"dry_run": False, "dag_run_id": about["run_id"]}
    if about.get("task_id"):
        index = about.get("map_index")
        body["task_ids"] = [about["task_id"] if index is None else [about["task_id"], index]]
    for width in ("upstream", "downstream", "past", "future"):
        if about.get(width):
            body[f"include_{width}"] = True
    body["only_failed"] = bool(about.get("only_failed"))
    return [], ("POST", f"{_dag(about)}/clearTaskInstances", body)


def _mark_task(about: Mapping[str, Any]) -> Pair:
    path = f"{_run(about)}/taskInstances/{quote(about['task_id'], safe='')}"
    if about.get("map_index") is not None:
        path += f"/{about['map_index']}"
    return [], ("PATCH", path, {"new_state": about["state"]})


def _answer(about: Mapping[str, Any]) -> Pair:
    index = about.get("map_index")
    command = ["tasks", "respond", about["dag_id"], about["task_id"], about["run_id"]]
    if index is not None:
        command += ["--map-index", index]
    for option in about["options"]:
        command += ["--option", option]
    body: dict[str, Any] = {"chosen_options": about["options"]}
    if about.get("params"):
        command += ["--params", json.dumps(about["params"], ensure_ascii=False)]
        body["params_input"] = about["params"]
    task = f"{_run(about)}/taskInstances/{quote(about['task_id'], safe='')}"
    return command, ("PATCH", f"{task}/{-1 if index is None else index}/hitlDetails", body)


def _mark_run(about: Mapping[str, Any]) -> Pair:
    return [], ("PATCH", _run(about), {"state": about["state"]})


def _delete_run(about: Mapping[str, Any]) -> Pair:
    return [], ("DELETE", _run(about), None)


def _delete_dag(about: Mapping[str, Any]) -> Pair:
    return ["dags", "delete", about["dag_id"]], ("DELETE", _dag(about), None)


def _note(about: Mapping[str, Any]) -> Pair:
    path = _run(about)
    if about.get("task_id"):
        path += f"/taskInstances/{quote(about['task_id'], safe='')}"
        if about.get("map_index") is not None:
            path += f"/{about['map_index']}"
    return [], ("PATCH", path, {"note": about.get("note") or ""})


def _backfill(about: Mapping[str, Any]) -> Pair:
    command = ["backfill", "create", "--dag-id", about["dag_id"]]
    command += ["--from-date", about["from"], "--to-date", about["to"]]
    command += ["--max-active-runs", about["max_active_runs"]]
    command += ["--reprocess-behavior", about["reprocess"]]
    body = {
        "dag_id": about["dag_id"],
        "from_date": about["from"],
        "to_date": about["to"],
        "max_active_runs": about["max_active_runs"],
        "reprocess_behavior": about["reprocess"],
        "run_backwards": bool(about.get("reverse")),
    }
    if about.get("reverse"):
        command.append("--run-backwards")
    if about.get("conf"):
        command += ["--dag-run-conf", json.dumps(about["conf"], ensure_ascii=False)]
        body["dag_run_conf"] = about["conf"]
    return command, ("POST", "/backfills", body)


def _backfill_act(about: Mapping[str, Any]) -> Pair:
    return [], ("PUT", f"/backfills/{about['backfill_id']}/{about['verb']}", None)


def _asset_event(about: Mapping[str, Any]) -> Pair:
    command = ["assets", "materialize", "--name", about["name"]]
    return command, ("POST", "/assets/events", {"asset_id": about["asset_id"], "extra": {}})


def _pool(about: Mapping[str, Any]) -> Pair:
    command = ["pools", "set", about["name"], about["slots"], about["description"]]
    body = {
        "slots": about["slots"],
        "description": about["description"],
        "include_deferred": bool(about["include_deferred"]),
    }
    if about["include_deferred"]:
        command.append("--include-deferred")
    return command, ("PATCH", f"/pools/{quote(about['name'], safe='')}", body)


def _variable(about: Mapping[str, Any]) -> Pair:
    key = about["key"]
    method, path = "POST", "/variables"
    if not about["is_new"]:
        method, path = "PATCH", f"{path}/{quote(key, safe='')}"
    return ["variables", "set", key, "VALUE"], (method, path, {"key": key, "value": "VALUE"})


def _connection(about: Mapping[str, Any]) -> Pair:
    conn_id, kind = about["conn_id"], about["conn_type"]
    command = ["connections", "add", conn_id, "--conn-type", kind, "--conn-host", about["host"]]
    body = {"connection_id": conn_id, "conn_type": kind, "host": about["host"]}
    if about["is_new"]:
        return command, ("POST", "/connections", body)
    return [], ("PATCH", f"/connections/{quote(conn_id, safe='')}", body)


_ACTS: Mapping[str, Callable[[Mapping[str, Any]], Pair]] = {
    "trigger": _trigger,
    "pause": _pause,
    "clear": _clear,
    "mark_task": _mark_task,
    "answer": _answer,
    "mark_run": _mark_run,
    "delete_run": _delete_run,
    "delete_dag": _delete_dag,
    "note": _note,
    "backfill": _backfill,
    "backfill_act": _backfill_act,
    "asset_event": _asset_event,
    "pool": _pool,
    "variable": _variable,
    "connection": _connection,
}
