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
from airflow_client.client.models.clear_task_instances_body import ClearTaskInstancesBody
from airflow_client.client.models.connection_body import ConnectionBody
from airflow_client.client.models.dag_patch_body import DAGPatchBody
from airflow_client.client.models.dag_run_clear_body import DAGRunClearBody
from airflow_client.client.models.dag_run_patch_body import DAGRunPatchBody
from airflow_client.client.models.dag_runs_batch_body import DAGRunsBatchBody
from airflow_client.client.models.patch_task_instance_body import PatchTaskInstanceBody
from airflow_client.client.models.pool_body import PoolBody
from airflow_client.client.models.pool_patch_body import PoolPatchBody
from airflow_client.client.models.task_instances_batch_body import TaskInstancesBatchBody
from airflow_client.client.models.trigger_dag_run_post_body import TriggerDAGRunPostBody
from airflow_client.client.models.variable_body import VariableBody

DAG_ID = "api_clients"
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


def wait_for_end(runs, run_id: str) -> str:
    deadline = time.monotonic() + RUN_DEADLINE_S
    while time.monotonic() < deadline:
        state = runs.get_dag_run(DAG_ID, run_id).state.value
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


def use_dags(client) -> None:
    dags = airflow.DAGApi(client)
    wait_for_dag(dags)
    assert dags.get_dags(dag_id_pattern="API_cl%").total_entries == 1
    assert dags.get_dag_details(DAG_ID).params["size"]["value"] == 3
    assert dags.patch_dag(DAG_ID, DAGPatchBody(is_paused=False)).is_paused is False
    patched = dags.patch_dags(DAGPatchBody(is_paused=False), dag_id_pattern=DAG_ID)
    assert patched.total_entries == 1
    assert "clients" in dags.get_dag_tags().tags
    tasks = airflow.TaskApi(client)
    assert tasks.get_tasks(DAG_ID).total_entries == 3
    assert tasks.get_task(DAG_ID, "load").downstream_task_ids == ["double"]
    assert "too large" in airflow.DagSourceApi(client).get_dag_source(DAG_ID).content
    versions = airflow.DagVersionApi(client)
    assert versions.get_dag_versions(DAG_ID).total_entries == 1
    assert versions.get_dag_version(DAG_ID, 1).version_number == 1
    assert airflow.DagStatsApi(client).get_dag_stats(dag_ids=[DAG_ID]).total_entries == 1
    report("dags: 12 operations")


def use_runs(client) -> None:
    runs = airflow.DagRunApi(client)
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
    assert json.loads(listed.data)["total_entries"] == 1
    runs.clear_dag_run(DAG_ID, "v2_bad", DAGRunClearBody(dry_run=False))
    assert wait_for_end(runs, "v2_bad") == "failed"
    marked = runs.patch_dag_run(DAG_ID, "v2_bad", DAGRunPatchBody(state="success"))
    assert marked.state.value == "success"
    report("dag runs: 6 operations")


def use_task_instances(client) -> None:
    tasks = airflow.TaskInstanceApi(client)
    run = "v2_good"
    assert tasks.get_task_instances(DAG_ID, run).total_entries == 4
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
    assert wait_for_end(airflow.DagRunApi(client), run) == "success"
    xcoms = airflow.XComApi(client)
    assert xcoms.get_xcom_entries(dag_id=DAG_ID, dag_run_id=run, task_id="load").total_entries >= 1
    value = xcoms.get_xcom_entry(
        dag_id=DAG_ID, dag_run_id=run, task_id="load", xcom_key="return_value"
    )
    assert value.actual_instance.value == {"size": 7}, value
    report("task instances, logs, XComs: 20 operations")


def use_settings(client) -> None:
    pools = airflow.PoolApi(client)
    pools.post_pool(PoolBody(name="v2_pool", slots=3))
    assert pools.patch_pool("v2_pool", PoolPatchBody(slots=4), update_mask=["slots"]).slots == 4
    assert pools.get_pool("v2_pool").open_slots == 4
    assert pools.get_pools(pool_name_pattern="v2").total_entries == 1
    pools.delete_pool("v2_pool")
    variables = airflow.VariableApi(client)
    made = variables.post_variable(VariableBody.from_dict({"key": "v2_key", "value": {"a": 1}}))
    assert json.loads(made.value) == {"a": 1}
    change = VariableBody.from_dict({"key": "v2_key", "value": "b"})
    assert variables.patch_variable("v2_key", change).value == "b"
    assert variables.get_variable("v2_key").value == "b"
    assert variables.get_variables().total_entries == 1
    variables.delete_variable("v2_key")
    connections = airflow.ConnectionApi(client)
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
    report("pools, variables, connections: 16 operations")


def use_backfills(client) -> None:
    backfills = airflow.BackfillApi(client)
    body = BackfillPostBody(
        dag_id=DAG_ID,
        from_date=datetime(2024, 1, 2, tzinfo=UTC),
        to_date=datetime(2024, 1, 3, tzinfo=UTC),
        max_active_runs=1,
    )
    assert backfills.create_backfill_dry_run(body).total_entries == 2
    made = backfills.create_backfill(body)
    assert backfills.get_backfill(made.id).dag_id == DAG_ID
    assert backfills.list_backfills(dag_id=DAG_ID).total_entries == 1
    assert backfills.pause_backfill(made.id).is_paused
    assert not backfills.unpause_backfill(made.id).is_paused
    assert backfills.cancel_backfill(made.id).completed_at is not None
    report("backfills: 7 operations")


def use_system(client) -> None:
    assert airflow.MonitorApi(client).get_health().scheduler.status == "healthy"
    assert airflow.VersionApi(client).get_version().version.startswith("3.")
    errors = airflow.ImportErrorApi(client)
    (found,) = errors.get_import_errors().import_errors
    assert "on purpose" in errors.get_import_error(found.import_error_id).stack_trace
    events = airflow.EventLogApi(client)
    listed = events.get_event_logs(dag_id=DAG_ID, order_by=["-event_log_id"], limit=3)
    assert len(listed.event_logs) == 3
    assert events.get_event_log(listed.event_logs[0].event_log_id).dag_id == DAG_ID
    assert airflow.ProviderApi(client).get_providers().total_entries == 0
    try:
        airflow.ConfigApi(client).get_config()
    except ForbiddenException:
        pass
    else:
        raise SystemExit("settings were shown")
    airflow.DagRunApi(client).delete_dag_run(DAG_ID, "v2_bad")
    report("system: 9 operations")


def main() -> None:
    base, user, password = sys.argv[1:]
    token = access_token(base, user, password)
    with airflow.ApiClient(airflow.Configuration(host=base, access_token=token)) as client:
        for use in (
            use_dags,
            use_runs,
            use_task_instances,
            use_settings,
            use_backfills,
            use_system,
        ):
            use(client)


if __name__ == "__main__":
    main()
