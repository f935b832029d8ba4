"""Every operation of version 2 that answers, through apache-airflow-client 3.3.

    client_v2.py BASE_URL USER PASSWORD

Run by ``.ci/check_api_clients.py`` in an environment of its own against a running server.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.request
from datetime import UTC, datetime

import airflow_client.client as airflow
from airflow_client.client.exceptions import (
    ConflictException,
    ForbiddenException,
    NotFoundException,
)
from airflow_client.client.models.backfill_post_body import BackfillPostBody
from airflow_client.client.models.bulk_body_bulk_dag_run_body import BulkBodyBulkDAGRunBody
from airflow_client.client.models.bulk_body_bulk_task_instance_body import (
    BulkBodyBulkTaskInstanceBody,
)
from airflow_client.client.models.bulk_body_connection_body import BulkBodyConnectionBody
from airflow_client.client.models.bulk_body_pool_body import BulkBodyPoolBody
from airflow_client.client.models.bulk_body_variable_body import BulkBodyVariableBody
from airflow_client.client.models.bulk_create_action_connection_body import (
    BulkCreateActionConnectionBody,
)
from airflow_client.client.models.bulk_create_action_pool_body import BulkCreateActionPoolBody
from airflow_client.client.models.bulk_create_action_variable_body import (
    BulkCreateActionVariableBody,
)
from airflow_client.client.models.bulk_dag_run_body import BulkDAGRunBody
from airflow_client.client.models.bulk_dag_run_clear_body import BulkDAGRunClearBody
from airflow_client.client.models.bulk_task_instance_body import BulkTaskInstanceBody
from airflow_client.client.models.bulk_update_action_bulk_dag_run_body import (
    BulkUpdateActionBulkDAGRunBody,
)
from airflow_client.client.models.bulk_update_action_bulk_task_instance_body import (
    BulkUpdateActionBulkTaskInstanceBody,
)
from airflow_client.client.models.clear_partitions_body import ClearPartitionsBody
from airflow_client.client.models.clear_task_instances_body import ClearTaskInstancesBody
from airflow_client.client.models.connection_body import ConnectionBody
from airflow_client.client.models.create_asset_events_body import CreateAssetEventsBody
from airflow_client.client.models.dag_patch_body import DAGPatchBody
from airflow_client.client.models.dag_run_clear_body import DAGRunClearBody
from airflow_client.client.models.dag_run_patch_body import DAGRunPatchBody
from airflow_client.client.models.dag_runs_batch_body import DAGRunsBatchBody
from airflow_client.client.models.patch_task_instance_body import PatchTaskInstanceBody
from airflow_client.client.models.pool_body import PoolBody
from airflow_client.client.models.pool_patch_body import PoolPatchBody
from airflow_client.client.models.task_instances_batch_body import TaskInstancesBatchBody
from airflow_client.client.models.trigger_dag_run_post_body import TriggerDAGRunPostBody
from airflow_client.client.models.update_hitl_detail_payload import UpdateHITLDetailPayload
from airflow_client.client.models.variable_body import VariableBody
from airflow_client.client.models.x_com_create_body import XComCreateBody
from airflow_client.client.models.x_com_update_body import XComUpdateBody
from performed import Calls

DAG_ID = "api_clients"
APIS = tuple(
    kind
    for name, kind in vars(airflow).items()
    if name.endswith("Api") and name not in ("AssetStateStoreApi", "TaskStateStoreApi")
)
#: Not there: nobody asked for them.
LEFT_OUT = (
    "enqueue_connection_test",
    "get_connection_test",
    "get_external_log_url",
    "import_errors",
)
RUN_DEADLINE_S = 60


def access_token(base: str, user: str, password: str) -> str:
    request = urllib.request.Request(
        f"{base}/auth/token",
        data=json.dumps({"username": user, "password": password}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 201
        return str(json.load(answer)["access_token"])


def report(text: str) -> None:
    sys.stdout.write(f"  {text}\n")
    sys.stdout.flush()


def body_of(kind, *actions):
    """Return a bulk body: its actions are a union that the client writes, but cannot build."""
    return kind.from_dict({"actions": [action.to_dict() for action in actions]})


def wait_for_end(runs, run_id: str, dag_id: str = DAG_ID) -> str:
    deadline = time.monotonic() + RUN_DEADLINE_S
    while time.monotonic() < deadline:
        state = runs.get_dag_run(dag_id, run_id).state.value
        if state in ("success", "failed"):
            return state
        time.sleep(0.2)
    raise SystemExit(f"run {run_id} did not end")


def wait_for_dag(dags) -> None:
    deadline = time.monotonic() + RUN_DEADLINE_S
    while time.monotonic() < deadline:
        try:
            dags.get_dag(DAG_ID)
        except NotFoundException:
            time.sleep(0.3)
        else:
            return
    raise SystemExit("the DAG was not parsed")


def use_dags(calls) -> None:
    dags = calls.on(airflow.DAGApi)
    wait_for_dag(dags)
    assert dags.get_dags(dag_id_pattern="API_cl%").total_entries == 1
    assert dags.get_dag_details(DAG_ID).params["size"]["value"] == 3
    assert dags.patch_dag(DAG_ID, DAGPatchBody(is_paused=False)).is_paused is False
    patched = dags.patch_dags(DAGPatchBody(is_paused=False), dag_id_pattern=DAG_ID)
    assert patched.total_entries == 1
    assert "clients" in dags.get_dag_tags().tags
    tasks = calls.on(airflow.TaskApi)
    assert tasks.get_tasks(DAG_ID).total_entries == 4
    assert tasks.get_task(DAG_ID, "load").downstream_task_ids == ["double"]
    assert "too large" in calls.on(airflow.DagSourceApi).get_dag_source(DAG_ID).content
    versions = calls.on(airflow.DagVersionApi)
    assert versions.get_dag_versions(DAG_ID).total_entries == 1
    assert versions.get_dag_version(DAG_ID, 1).version_number == 1
    assert calls.on(airflow.DagStatsApi).get_dag_stats(dag_ids=[DAG_ID]).total_entries == 1
    calls.on(airflow.DAGParsingApi).reparse_dag_file(dags.get_dag(DAG_ID).file_token)
    dags.favorite_dag(DAG_ID)
    assert dags.get_dags(is_favorite=True).total_entries == 1
    dags.unfavorite_dag(DAG_ID)
    report("dags")


def use_runs(calls) -> None:
    runs = calls.on(airflow.DagRunApi)
    body = TriggerDAGRunPostBody(dag_run_id="v2_good", conf={"size": 7}, logical_date=None)
    assert runs.trigger_dag_run(DAG_ID, body).conf == {"size": 7}
    try:
        runs.trigger_dag_run(DAG_ID, body)
    except ConflictException:
        pass
    else:
        raise SystemExit("one run id was given twice")
    assert wait_for_end(runs, "v2_good") == "success"
    assert runs.get_dag_runs(DAG_ID, state=["success"], order_by=["-run_after"]).total_entries >= 1
    batch = DAGRunsBatchBody(dag_ids=[DAG_ID], page_limit=5)
    assert runs.get_list_dag_runs_batch("~", batch).total_entries >= 1
    assert runs.patch_dag_run(DAG_ID, "v2_good", DAGRunPatchBody(note="seen")).note == "seen"
    runs.trigger_dag_run(DAG_ID, TriggerDAGRunPostBody(dag_run_id="v2_bad", conf={"size": 700}))
    assert wait_for_end(runs, "v2_bad") == "failed"
    # The client cannot read the list that a dry run answers: two of its own models match it.
    dry = DAGRunClearBody(only_failed=True)
    listed = runs.clear_dag_run_without_preload_content(DAG_ID, "v2_bad", dry)
    assert json.loads(listed.data)["total_entries"] == 2
    runs.clear_dag_run(DAG_ID, "v2_bad", DAGRunClearBody(dry_run=False))
    assert wait_for_end(runs, "v2_bad") == "failed"
    marked = runs.patch_dag_run(DAG_ID, "v2_bad", DAGRunPatchBody(state="success"))
    assert marked.state.value == "success"
    first = runs.get_dag_runs(DAG_ID, limit=1, cursor="", order_by=["id"])
    second = runs.get_dag_runs(DAG_ID, limit=1, cursor=first.next_cursor, order_by=["id"])
    assert first.dag_runs[0].dag_run_id != second.dag_runs[0].dag_run_id
    waited = runs.wait_dag_run_until_finished_without_preload_content(
        DAG_ID, "v2_good", interval=0.5, result=["load"]
    )
    assert json.loads(waited.data.splitlines()[-1])["results"] == {"load": {"size": 7}}
    update = BulkUpdateActionBulkDAGRunBody(
        action="update", entities=[BulkDAGRunBody(dag_run_id="v2_good", note="bulk")]
    )
    done = runs.bulk_dag_runs(DAG_ID, body_of(BulkBodyBulkDAGRunBody, update))
    assert done.update.success == [f"{DAG_ID}.v2_good"]
    several = BulkDAGRunClearBody(
        dag_runs=[BulkDAGRunBody(dag_run_id="v2_bad")], dry_run=False, only_failed=True
    )
    assert runs.clear_dag_runs_without_preload_content(DAG_ID, several).status == 200
    assert wait_for_end(runs, "v2_bad") in ("success", "failed")
    assert runs.clear_dag_run_partitions(DAG_ID, ClearPartitionsBody()).dag_runs_cleared == 0
    report("dag runs")


def use_task_instances(calls) -> None:
    tasks = calls.on(airflow.TaskInstanceApi)
    run = "v2_good"
    assert tasks.get_task_instances(DAG_ID, run).total_entries == 5
    assert tasks.get_task_instances("~", "~", state=["success"]).total_entries >= 4
    batch = TaskInstancesBatchBody(dag_ids=[DAG_ID], task_ids=["load"])
    assert tasks.get_task_instances_batch("~", "~", batch).total_entries >= 1
    assert tasks.get_task_instance(DAG_ID, run, "load").state.value == "success"
    assert tasks.get_mapped_task_instance(DAG_ID, run, "double", 1).map_index == 1
    assert tasks.get_mapped_task_instances(DAG_ID, run, "double").total_entries == 2
    assert tasks.get_task_instance_tries(DAG_ID, run, "load").total_entries == 1
    assert tasks.get_task_instance_try_details(DAG_ID, run, "load", 1).try_number == 1
    assert tasks.get_mapped_task_instance_tries(DAG_ID, run, "double", 0).total_entries == 1
    found = tasks.get_mapped_task_instance_try_details(
        DAG_ID, run, "double", map_index=0, task_try_number=1
    )
    assert found.map_index == 0
    assert tasks.get_task_instance_dependencies(DAG_ID, run, "load").dependencies == []
    mapped = tasks.get_task_instance_dependencies_by_map_index(DAG_ID, run, "double", 0)
    assert mapped.dependencies == []
    log = tasks.get_log(DAG_ID, run, "load", 1, full_content=True)
    assert "loading 7" in str(log.content.actual_instance)
    note = PatchTaskInstanceBody(note="fine")
    assert tasks.patch_task_instance(DAG_ID, run, "load", note).task_instances[0].note == "fine"
    fail = PatchTaskInstanceBody(new_state="failed")
    assert tasks.patch_task_instance_dry_run(DAG_ID, run, "check", fail).total_entries == 1
    dry = tasks.patch_task_instance_dry_run_by_map_index(DAG_ID, run, "double", 0, fail)
    assert dry.total_entries == 1
    assert tasks.patch_task_instance_by_map_index(DAG_ID, run, "double", 0, fail).total_entries == 1
    clear = ClearTaskInstancesBody(dry_run=False, dag_run_id=run, only_failed=True)
    assert tasks.post_clear_task_instances(DAG_ID, clear).total_entries >= 1
    assert wait_for_end(calls.on(airflow.DagRunApi), run) == "success"
    xcoms = calls.on(airflow.XComApi)
    assert xcoms.get_xcom_entries(dag_id=DAG_ID, dag_run_id=run, task_id="load").total_entries >= 1
    value = xcoms.get_xcom_entry(
        dag_id=DAG_ID, dag_run_id=run, task_id="load", xcom_key="return_value"
    )
    assert value.actual_instance.value == {"size": 7}, value
    at = {"dag_id": DAG_ID, "dag_run_id": run, "task_id": "load"}
    body = XComCreateBody.from_dict({"key": "mine", "value": [1]})
    made = xcoms.create_xcom_entry(**at, x_com_create_body=body)
    assert made.value == [1]
    body = XComUpdateBody.from_dict({"value": {"a": 2}})
    changed = xcoms.update_xcom_entry(**at, xcom_key="mine", x_com_update_body=body)
    assert changed.value == {"a": 2}
    xcoms.delete_xcom_entry(**at, xcom_key="mine")
    update = BulkUpdateActionBulkTaskInstanceBody(
        action="update", entities=[BulkTaskInstanceBody(task_id="load", note="bulk")]
    )
    done = tasks.bulk_task_instances(DAG_ID, run, body_of(BulkBodyBulkTaskInstanceBody, update))
    assert done.update.success == [f"{DAG_ID}.{run}.load[-1]"]
    good = PatchTaskInstanceBody(new_state="success")
    assert tasks.patch_task_group_instances_dry_run(DAG_ID, run, "last", good).total_entries == 1
    assert tasks.patch_task_group_instances(DAG_ID, run, "last", good).total_entries == 1
    assert wait_for_end(calls.on(airflow.DagRunApi), run) == "success"
    tasks.delete_task_instance(DAG_ID, run, "last.end")
    report("task instances, logs, XComs")


def use_settings(calls) -> None:
    pools = calls.on(airflow.PoolApi)
    pools.post_pool(PoolBody(name="v2_pool", slots=3))
    assert pools.patch_pool("v2_pool", PoolPatchBody(slots=4), update_mask=["slots"]).slots == 4
    assert pools.get_pool("v2_pool").open_slots == 4
    assert pools.get_pools(pool_name_pattern="v2").total_entries == 1
    pools.delete_pool("v2_pool")
    variables = calls.on(airflow.VariableApi)
    made = variables.post_variable(VariableBody.from_dict({"key": "v2_key", "value": {"a": 1}}))
    assert json.loads(made.value) == {"a": 1}
    change = VariableBody.from_dict({"key": "v2_key", "value": "b"})
    assert variables.patch_variable("v2_key", change).value == "b"
    assert variables.get_variable("v2_key").value == "b"
    assert variables.get_variables().total_entries == 1
    variables.delete_variable("v2_key")
    connections = calls.on(airflow.ConnectionApi)
    body = ConnectionBody(
        connection_id="v2_con", conn_type="http", password="hidden-value", extra='{"token": "x"}'
    )
    shown = connections.post_connection(body)
    assert (shown.password, json.loads(shown.extra)) == ("***", {"token": "***"})
    change = ConnectionBody(connection_id="v2_con", conn_type="http", port=80)
    assert connections.patch_connection("v2_con", change, update_mask=["port"]).port == 80
    assert "hidden-value" not in str(connections.get_connection("v2_con"))
    assert connections.get_connections().total_entries == 1
    try:
        connections.test_connection(body)
    except ForbiddenException:
        pass
    else:
        raise SystemExit("a connection was tested")
    connections.delete_connection("v2_con")
    connections.create_default_connections()
    create = BulkCreateActionConnectionBody(
        action="create", entities=[ConnectionBody(connection_id="v2_bulk", conn_type="http")]
    )
    done = connections.bulk_connections(body_of(BulkBodyConnectionBody, create))
    assert done.create.success == ["v2_bulk"]
    pool = BulkCreateActionPoolBody(action="create", entities=[PoolBody(name="v2_p", slots=1)])
    assert pools.bulk_pools(body_of(BulkBodyPoolBody, pool)).create.success == ["v2_p"]
    entity = VariableBody.from_dict({"key": "v2_bulk", "value": "b"})
    variable = BulkCreateActionVariableBody(action="create", entities=[entity])
    done = variables.bulk_variables(body_of(BulkBodyVariableBody, variable))
    assert done.create.success == ["v2_bulk"]
    report("pools, variables, connections")


def use_backfills(calls) -> None:
    backfills = calls.on(airflow.BackfillApi)
    body = BackfillPostBody(
        dag_id=DAG_ID,
        from_date=datetime(2024, 1, 2, tzinfo=UTC),
        to_date=datetime(2024, 1, 5, tzinfo=UTC),
        max_active_runs=1,
    )
    assert backfills.create_backfill_dry_run(body).total_entries == 4
    made = backfills.create_backfill(body)
    assert backfills.get_backfill(made.id).dag_id == DAG_ID
    assert backfills.list_backfills(dag_id=DAG_ID).total_entries == 1
    assert backfills.pause_backfill(made.id).is_paused
    assert not backfills.unpause_backfill(made.id).is_paused
    backfills.pause_backfill(made.id)
    assert backfills.cancel_backfill(made.id).completed_at is not None
    report("backfills")


def use_human_input(calls) -> None:
    calls.on(airflow.DAGApi).patch_dag("ask_clients", DAGPatchBody(is_paused=False))
    runs, tasks = calls.on(airflow.DagRunApi), calls.on(airflow.TaskInstanceApi)
    runs.trigger_dag_run("ask_clients", TriggerDAGRunPostBody(dag_run_id="q", logical_date=None))
    deadline, waiting = time.monotonic() + RUN_DEADLINE_S, []
    while not waiting and time.monotonic() < deadline:
        time.sleep(0.1)
        listed = tasks.get_hitl_details("ask_clients", "q", response_received=False)
        waiting = [
            one for one in listed.hitl_details if one.task_instance.state.value == "deferred"
        ]
    assert [(one.subject, one.options) for one in waiting] == [("Ship it?", ["yes", "no"])]
    detail = tasks.get_hitl_detail("ask_clients", "q", "ask", -1)
    assert detail.params["percent"]["value"] == 10
    answer = UpdateHITLDetailPayload(chosen_options=["yes"], params_input={"percent": 20})
    taken = tasks.update_hitl_detail("ask_clients", "q", "ask", -1, answer)
    assert (taken.chosen_options, taken.responded_by.name) == (["yes"], "clients")
    assert wait_for_end(runs, "q", "ask_clients") == "success"
    old = tasks.get_hitl_detail_try_detail("ask_clients", "q", "ask", -1, 1)
    assert (old.response_received, old.params_input) == (True, {"percent": 20})
    report("human input")


def use_assets(calls) -> None:
    assets = calls.on(airflow.AssetApi)
    runs = calls.on(airflow.DagRunApi)
    dags = calls.on(airflow.DAGApi)
    for dag_id in ("asset_maker", "asset_reader"):
        dags.patch_dag(dag_id, DAGPatchBody(is_paused=False))
    (orders,) = assets.get_assets(name_pattern="client_orders").assets
    assert assets.get_asset(orders.id).producing_tasks[0].task_id == "make"
    (alias,) = assets.get_asset_aliases().asset_aliases
    assert assets.get_asset_alias(alias.id)["name"] == "client_alias"
    event = CreateAssetEventsBody(asset_id=orders.id, extra={"rows": 3})
    assert assets.create_asset_event(event).extra["rows"] == 3
    assert assets.get_asset_events(asset_id=orders.id).total_entries >= 1
    assert assets.get_asset_queued_events(orders.id).total_entries == 1
    assert assets.get_dag_asset_queued_events("asset_reader").total_entries == 1
    queued = assets.get_dag_asset_queued_event("asset_reader", orders.id)
    assert queued.dag_id == "asset_reader"
    assets.delete_dag_asset_queued_event("asset_reader", orders.id)
    assets.create_asset_event(event)
    assets.delete_dag_asset_queued_events("asset_reader")
    assets.create_asset_event(event)
    assets.delete_asset_queued_events(orders.id)
    (prices,) = assets.get_assets(name_pattern="client_prices").assets
    assets.create_asset_event(CreateAssetEventsBody(asset_id=prices.id))
    made = assets.materialize_asset(orders.id)
    assert made.dag_id == "asset_maker"
    assert wait_for_end(runs, made.dag_run_id, "asset_maker") == "success"
    deadline = time.monotonic() + RUN_DEADLINE_S
    while not (found := runs.get_dag_runs("asset_reader").dag_runs):
        assert time.monotonic() < deadline, "the assets made no run"
        time.sleep(0.2)
    events = runs.get_upstream_asset_events("asset_reader", found[0].dag_run_id)
    assert events.total_entries == 2
    assert wait_for_end(runs, found[0].dag_run_id, "asset_reader") == "success"
    links = calls.on(airflow.ExtraLinksApi)
    shown = links.get_extra_links("asset_maker", made.dag_run_id, "make")
    assert shown.extra_links == {"Manual": "https://localhost/make"}
    report("assets and links")


def use_system(calls) -> None:
    assert calls.on(airflow.MonitorApi).get_health().scheduler.status == "healthy"
    assert calls.on(airflow.VersionApi).get_version().version.startswith("3.")
    errors = calls.on(airflow.ImportErrorApi)
    (found,) = errors.get_import_errors().import_errors
    assert "on purpose" in errors.get_import_error(found.import_error_id).stack_trace
    events = calls.on(airflow.EventLogApi)
    listed = events.get_event_logs(dag_id=DAG_ID, order_by=["-event_log_id"], limit=3)
    assert len(listed.event_logs) == 3
    assert events.get_event_log(listed.event_logs[0].event_log_id).dag_id == DAG_ID
    assert calls.on(airflow.ProviderApi).get_providers().total_entries >= 0
    assert calls.on(airflow.PluginApi).get_plugins().total_entries == 0
    jobs = calls.on(airflow.JobApi).get_jobs(is_alive=True).jobs
    assert {"SchedulerJob", "DagProcessorJob", "RunnerJob"} <= {job.job_type for job in jobs}
    (warning,) = calls.on(airflow.DagWarningApi).list_dag_warnings().dag_warnings
    assert "no_such_pool" in warning.message
    logins = calls.on(airflow.LoginApi)
    assert "Log in" in str(logins.login_without_preload_content(next="/dags").data)
    try:
        calls.on(airflow.ConfigApi).get_config()
    except ForbiddenException:
        pass
    else:
        raise SystemExit("settings were shown")
    try:
        calls.on(airflow.ConfigApi).get_config_value("core", "dags_folder")
    except ForbiddenException:
        pass
    else:
        raise SystemExit("a setting was shown")
    calls.on(airflow.DagRunApi).delete_dag_run(DAG_ID, "v2_bad")
    calls.on(airflow.DAGApi).delete_dag("no_pool")
    assert "Log in" in str(logins.logout_without_preload_content().data)  # ends the token, too
    report("system")


def main() -> None:
    base, user, password = sys.argv[1:]
    token = access_token(base, user, password)
    with airflow.ApiClient(airflow.Configuration(host=base, access_token=token)) as client:
        calls = Calls(client, APIS)
        for use in (
            use_dags,
            use_runs,
            use_task_instances,
            use_human_input,
            use_assets,
            use_settings,
            use_backfills,
            use_system,
        ):
            use(calls)
    forgotten = calls.forgotten(LEFT_OUT)
    if forgotten:
        raise SystemExit(f"never performed: {', '.join(forgotten)}")


if __name__ == "__main__":
    main()
