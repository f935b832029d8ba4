"""The system itself: health, version, settings, jobs, providers, import errors, event log."""

from __future__ import annotations

import json
from typing import Any

from ....database.listings import Where
from ....database.values import EventRow, FileRow
from ....sdk.configuration import conf
from ....sdk.secrets_masker import mask
from ...health import read_health
from .. import answers_v1 as a1
from .. import answers_v2 as a2
from .. import filters
from ..call import Call
from ..errors import ApiError
from ..operation import PAGE, Face, Query, operation, order, patterns
from ..show_dags import BUNDLE
from .paged import page_of

#: The release that clients believe to talk to, by version of the API.
AIRFLOW_RELEASES = {1: "2.11.2", 2: "3.3.2"}


@operation(
    "GET",
    None,
    v1=Face("get_health", "/health", answer=a1.HealthInfo, tag="Monitoring"),
    v2=Face("get_health", "/monitor/health", answer=a2.HealthInfoResponse, tag="Monitor"),
)
def get_health(call: Call) -> Any:
    """Say which parts of the system are alive; always 200."""
    return read_health()


@operation(
    "GET",
    None,
    v1=Face("get_version", "/version", answer=a1.VersionInfo, tag="Monitoring"),
    v2=Face("get_version", "/version", answer=a2.VersionInfo, tag="Version"),
)
def get_version(call: Call) -> Any:
    """Return the release of Airflow that is stood in for."""
    kind = a1.VersionInfo if call.version == 1 else a2.VersionInfo
    return kind(version=AIRFLOW_RELEASES[call.version], git_version=None)


@operation(
    "GET",
    "operate",
    v1=Face(
        "get_config",
        "/config",
        (Query("section"),),
        answer=a1.Config,
        errors=(404,),
        tag="Config",
    ),
    v2=Face(
        "get_config",
        "/config",
        (Query("section"),),
        answer=a2.Config,
        errors=(404, 406),
        tag="Config",
    ),
)
@operation(
    "GET",
    "operate",
    v1=Face(
        "get_value",
        "/config/section/{section}/option/{option}",
        answer=a1.Config,
        errors=(404,),
        tag="Config",
    ),
    v2=Face(
        "get_config_value",
        "/config/section/{section}/option/{option}",
        answer=a2.Config,
        errors=(404, 406),
        tag="Config",
    ),
)
def get_config(call: Call) -> Any:
    """Show settings, the sensitive ones hidden, if ``[api] expose_config`` allows it."""
    exposed = str(conf.get("api", "expose_config")).lower()
    if exposed not in ("true", "non-sensitive-only"):
        raise ApiError(403, "Settings are not shown: [api] expose_config is off.")
    found = conf.as_dict(display_source=False, display_sensitive=False)
    section = call.path.get("section") or call.query.get("section")
    option = call.path.get("option")
    if section is not None:
        if section not in found or (option is not None and option not in found[section]):
            raise ApiError(404, f"There is no setting {section}/{option or ''}.")
        found = {section: found[section]}
    if option is not None:
        found = {str(section): {option: found[str(section)][option]}}
    answers: Any = a1 if call.version == 1 else a2
    return answers.Config(
        sections=[
            answers.ConfigSection(
                name=name,
                options=[
                    answers.ConfigOption(key=key, value=str(value))
                    for key, value in sorted(options.items())
                ],
            )
            for name, options in sorted(found.items())
        ]
    )


@operation(
    "GET",
    "read",
    v1=Face(
        "get_import_errors",
        "/importErrors",
        (*PAGE, order(is_list=False)),
        answer=a1.ImportErrorCollection,
        tag="ImportError",
    ),
    v2=Face(
        "get_import_errors",
        "/importErrors",
        (*PAGE, order(), *patterns("filename"), Query("filename"), Query("bundle_name")),
        answer=a2.ImportErrorCollectionResponse,
        tag="Import Error",
    ),
)
def get_import_errors(call: Call) -> Any:
    """List the files that cannot be imported."""
    rows = call.store.files.import_errors()
    if call.query.get("filename"):
        rows = [row for row in rows if row.relative_path == call.query["filename"]]
    if call.query.get("bundle_name") not in (None, BUNDLE):
        rows = []
    orders = {
        "filename": "relative_path",
        "import_error_id": "relative_path",
        "id": "relative_path",
        "timestamp": "error_at",
        "stacktrace": "error",
    }
    page, total = page_of(call, rows, orders, "filename")
    numbers = call.store.listings.file_ids()
    shown = [_import_error(call, row, numbers[row.relative_path]) for row in page]
    if call.version == 1:
        return a1.ImportErrorCollection(import_errors=shown, total_entries=total)
    return a2.ImportErrorCollectionResponse(import_errors=shown, total_entries=total)


@operation(
    "GET",
    "read",
    v1=Face(
        "get_import_error",
        "/importErrors/{import_error_id}",
        answer=a1.ImportErrorItem,
        errors=(404,),
        tag="ImportError",
    ),
    v2=Face(
        "get_import_error",
        "/importErrors/{import_error_id}",
        answer=a2.ImportErrorResponse,
        errors=(404,),
        tag="Import Error",
    ),
)
def get_import_error(call: Call) -> Any:
    """Show one file that cannot be imported."""
    wanted = call.path["import_error_id"]
    numbers = call.store.listings.file_ids()
    for row in call.store.files.import_errors():
        if numbers.get(row.relative_path) == wanted:
            return _import_error(call, row, wanted)
    raise ApiError(404, f"There is no import error {wanted}.")


def _import_error(call: Call, row: FileRow, number: int) -> Any:
    text = mask(row.error or "")
    at = row.error_at or row.parsed_at
    if call.version == 1:
        return a1.ImportErrorItem(
            import_error_id=number, timestamp=at, filename=row.path, stack_trace=text
        )
    return a2.ImportErrorResponse(
        import_error_id=number,
        timestamp=at,
        filename=row.relative_path,
        bundle_name=BUNDLE,
        stack_trace=text,
    )


_EVENT_QUERY = (
    *PAGE,
    Query("dag_id"),
    Query("task_id"),
    Query("run_id"),
    Query("map_index", "integer"),
    Query("try_number", "integer"),
    Query("event"),
    Query("owner"),
    Query("before", "instant"),
    Query("after", "instant"),
)


@operation(
    "GET",
    "audit",
    v1=Face(
        "get_event_logs",
        "/eventLogs",
        (
            *_EVENT_QUERY,
            order(is_list=False),
            Query("included_events"),
            Query("excluded_events"),
        ),
        answer=a1.EventLogCollection,
        tag="EventLog",
    ),
    v2=Face(
        "get_event_logs",
        "/eventLogs",
        (
            *_EVENT_QUERY,
            order(),
            Query("included_events", is_list=True),
            Query("excluded_events", is_list=True),
            *patterns("dag_id", "task_id", "run_id", "owner", "event"),
        ),
        answer=a2.EventLogCollectionResponse,
        tag="Event Log",
    ),
)
def get_event_logs(call: Call) -> Any:
    """List what people did."""
    query = call.query
    where = [
        Where(name, "in", [query[name]])
        for name in ("dag_id", "task_id", "run_id", "map_index", "event", "owner")
        if query.get(name) is not None
    ]
    for name, operator in (("before", "lt"), ("after", "gt")):
        if query.get(name) is not None:
            where.append(Where("when", operator, query[name]))
    for name, operator in (("included_events", "in"), ("excluded_events", "not_in")):
        given = query.get(name)
        events = given.split(",") if isinstance(given, str) else given
        if events:
            where.append(Where("event", operator, events))
    if query.get("try_number") is not None:  # acts are not about tries
        where.append(Where("id", "in", []))
    names = ("dag_id", "task_id", "run_id", "owner", "event")
    where += filters.patterns(query, **{name: name for name in names})
    found = call.store.listings.events(where, call.order("event_log_id"), *call.window())
    shown = [_event(call, row) for row in found.rows]
    if call.version == 1:
        return a1.EventLogCollection(event_logs=shown, total_entries=found.total)
    return a2.EventLogCollectionResponse(event_logs=shown, total_entries=found.total)


@operation(
    "GET",
    "audit",
    v1=Face(
        "get_event_log",
        "/eventLogs/{event_log_id}",
        answer=a1.EventLog,
        errors=(404,),
        tag="EventLog",
    ),
    v2=Face(
        "get_event_log",
        "/eventLogs/{event_log_id}",
        answer=a2.EventLogResponse,
        errors=(404,),
        tag="Event Log",
    ),
)
def get_event_log(call: Call) -> Any:
    """Show one act."""
    where = [Where("id", "in", [call.path["event_log_id"]])]
    found = call.store.listings.events(where, ["id"], 1, 0)
    if not found.rows:
        raise ApiError(404, "There is no such entry.")
    return _event(call, found.rows[0])


def _event(call: Call, row: EventRow) -> Any:
    fields: dict[str, Any] = {
        "event_log_id": row.id,
        "when": row.at,
        "dag_id": row.dag_id,
        "task_id": row.task_id,
        "run_id": row.run_id,
        "map_index": row.map_index,
        "try_number": None,
        "event": row.kind,
        "owner": row.actor.removeprefix("user:"),
        "extra": mask(json.dumps(dict(row.detail))) if row.detail else None,
    }
    if call.version == 1:
        return a1.EventLog(**fields)
    return a2.EventLogResponse(**fields, logical_date=None)


@operation(
    "GET",
    "read",
    v1=Face(
        "get_dag_stats",
        "/dagStats",
        (Query("dag_ids"),),
        answer=a1.DagStatsCollectionSchema,
        tag="DagStats",
    ),
    v2=Face(
        "get_dag_stats",
        "/dagStats",
        (Query("dag_ids", is_list=True),),
        answer=a2.DagStatsCollectionResponse,
        tag="DagStats",
    ),
)
def get_dag_stats(call: Call) -> Any:
    """Count the runs of DAGs by state; without names, of the first 500 DAGs."""
    given = call.query["dag_ids"] or []
    ids = given.split(",") if isinstance(given, str) else given
    where = [Where("dag_id", "in", ids)] if ids else [Where("is_active", "in", [True])]
    rows = call.store.listings.dags(where, ["dag_id"], 500, 0).rows
    counts = call.store.listings.run_counts([row.dag_id for row in rows])
    answers: Any = a1 if call.version == 1 else a2
    dags: list[Any] = []
    for row in rows:
        of_dag = counts.get(row.dag_id, {})
        pairs = [(s, of_dag.get(s, 0)) for s in ("queued", "running", "success", "failed")]
        if call.version == 1:
            stats = [a1.DagStatsStateCollectionItem(state=s, count=n) for s, n in pairs]
            dags.append(a1.DagStatsCollectionItem(dag_id=row.dag_id, stats=stats))
        else:
            more = [a2.DagStatsStateResponse(state=s, count=n) for s, n in pairs]
            name = row.dag_display_name
            dags.append(a2.DagStatsResponse(dag_id=row.dag_id, dag_display_name=name, stats=more))
    kind = answers.DagStatsCollectionSchema if call.version == 1 else a2.DagStatsCollectionResponse
    return kind(dags=dags, total_entries=len(dags))
