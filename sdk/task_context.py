"""Building the context of one task instance (semantics sections 9.1 and 11, rows 5 and 25)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from . import macros, template_filters
from .asset_events import OutletEvents
from .context import ConnectionAccessor, Context, VariableAccessor
from .dag_run import to_pendulum
from .state_store import MissingStateStore

if TYPE_CHECKING:
    from .dag_run import DagRun
    from .task_instance import RuntimeTaskInstance


def build_context(
    ti: RuntimeTaskInstance,
    *,
    params: Mapping[str, Any],
    expanded_ti_count: int | None = None,
    is_test: bool = False,
) -> Context:
    """Return the context of a task instance. ``params`` are those of DAG and task, with conf."""
    task, dag_run = ti.task, ti.dag_run
    outlets = list(getattr(task, "outlets", None) or [])
    inlets = list(getattr(task, "inlets", None) or [])
    context = Context(
        dag=task.dag,
        task=task,
        ti=ti,
        task_instance=ti,
        dag_run=dag_run,
        run_id=dag_run.run_id,
        params=params,
        macros=macros,
        var={
            "value": VariableAccessor(deserialize_json=False),
            "json": VariableAccessor(deserialize_json=True),
        },
        conn=ConnectionAccessor(),
        inlets=inlets,
        outlets=outlets,
        outlet_events=OutletEvents(outlets),
        expanded_ti_count=expanded_ti_count,
        map_index_template=getattr(task, "map_index_template", None),
        task_reschedule_count=ti.reschedule_count,
        partition_key=dag_run.partition_key,
        partition_date=dag_run.partition_date,
        test_mode=is_test,
        templates_dict=getattr(task, "templates_dict", None),
        task_state_store=MissingStateStore("task_state_store"),
        asset_state_store=MissingStateStore("asset_state_store"),
    )
    context.add_later("conf", _configuration, instead="dag_run.conf, or the settings module")
    _add_asset_events(context, dag_run, inlets)
    _add_dates(context, ti, dag_run)
    _add_previous_success(context, ti, dag_run)
    return context


def _add_asset_events(context: Context, dag_run: DagRun, inlets: list[Any]) -> None:
    """Add past events of assets. Few tasks look at them: even the import waits for that."""

    def of_inlets() -> Any:
        from .past_asset_events import InletEvents

        return InletEvents(inlets)

    def triggering(*, is_by_uri: bool) -> Any:
        from . import past_asset_events

        if is_by_uri:
            return past_asset_events.triggering_events_by_uri(dag_run)
        return past_asset_events.triggering_events(dag_run)

    context.add_later("inlet_events", of_inlets, is_costly=True)
    for key, is_by_uri in (("triggering_asset_events", False), ("triggering_dataset_events", True)):
        context.add_later(key, partial(triggering, is_by_uri=is_by_uri), is_costly=True)


def _add_dates(context: Context, ti: RuntimeTaskInstance, dag_run: DagRun) -> None:
    """Add what follows from the logical date; a run without one has none of it."""
    logical_date = dag_run.logical_date
    stamp = dag_run.run_id if logical_date is None else f"{logical_date:%Y%m%d}"
    context["task_instance_key_str"] = f"{ti.dag_id}__{ti.task_id}__{stamp}"
    context["data_interval_start"] = dag_run.data_interval_start
    context["data_interval_end"] = dag_run.data_interval_end
    if logical_date is None:
        return
    context["logical_date"] = logical_date
    for name in ("ds", "ds_nodash", "ts", "ts_nodash", "ts_nodash_with_tz"):
        context.add_later(name, partial(template_filters.FILTERS[name], logical_date))
    context.add_later("execution_date", lambda: logical_date, instead="logical_date")
    for name, days in (("yesterday", -1), ("tomorrow", 1)):
        instead = f"macros.ds_add(ds, {days})"
        for suffix, form in (("ds", "%Y-%m-%d"), ("ds_nodash", "%Y%m%d")):
            written = partial(_written_days_later, logical_date, days, form)
            context.add_later(f"{name}_{suffix}", written, instead=instead)
    _add_neighbours(context, ti, dag_run)


def _add_neighbours(context: Context, ti: RuntimeTaskInstance, dag_run: DagRun) -> None:
    """Add the deprecated logical dates of the runs before and after."""

    for name, is_next, instead in (
        ("next", True, "data_interval_end"),
        ("prev", False, "data_interval_start or prev_data_interval_start_success"),
    ):
        find = partial(_neighbour, ti, dag_run, is_next=is_next)
        for suffix, form in (("execution_date", None), ("ds", "%Y-%m-%d"), ("ds_nodash", "%Y%m%d")):
            context.add_later(
                f"{name}_{suffix}",
                find if form is None else partial(_find_and_write, find, form),
                is_costly=True,
                instead=instead,
            )


def _written(instant: datetime | None, text_format: str) -> str | None:
    return None if instant is None else instant.strftime(text_format)


def _written_days_later(instant: datetime, days: int, text_format: str) -> str:
    return (instant + timedelta(days=days)).strftime(text_format)


def _find_and_write(find: Callable[[], Any], text_format: str) -> str | None:
    return _written(find(), text_format)


def _neighbour(ti: RuntimeTaskInstance, dag_run: DagRun, *, is_next: bool) -> Any:
    """Return the logical date of the next or previous scheduled run; a manual run is its own."""
    if dag_run.external_trigger:
        return dag_run.logical_date
    from .timetables.base import DataInterval, TimeRestriction

    timetable = getattr(ti.task.dag, "timetable", None)
    start, end = dag_run.data_interval_start, dag_run.data_interval_end
    if timetable is None or start is None or end is None:
        return None
    if is_next:
        info = timetable.next_dagrun_info(
            last_automated_data_interval=DataInterval(start, end),
            restriction=TimeRestriction(None, None, catchup=True),
        )
        return None if info is None else to_pendulum(info.logical_date)
    previous = getattr(timetable, "_previous", None)  # interval timetables only
    return None if previous is None else to_pendulum(previous(dag_run.logical_date))


def _add_previous_success(context: Context, ti: RuntimeTaskInstance, dag_run: DagRun) -> None:
    """Add what is known of the latest earlier run that succeeded. Asked for at most once."""
    asked: list[Any] = []

    def previous() -> Any:
        if not asked:
            asked.append(ti.get_previous_dagrun(state="success"))
        return asked[0]

    def attribute(name: str) -> Any:
        run = previous()
        return None if run is None else getattr(run, name)

    for key, name in (
        ("prev_data_interval_start_success", "data_interval_start"),
        ("prev_data_interval_end_success", "data_interval_end"),
        ("prev_start_date_success", "start_date"),
        ("prev_end_date_success", "end_date"),
    ):
        context.add_later(key, partial(attribute, name), is_costly=True)
    context.add_later(
        "prev_execution_date_success",
        lambda: attribute("logical_date"),
        is_costly=True,
        instead="prev_data_interval_start_success",
    )


def _configuration() -> Any:
    from .configuration import conf

    return conf
