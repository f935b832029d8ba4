"""Every operation of version 1 that answers, through apache-airflow-client 2.10.

    client_v1.py BASE_URL USER PASSWORD

Run by ``.ci/check_api_clients.py`` in an environment of its own against a running server.
"""

from __future__ import annotations

import ast
import sys
import time

import airflow_client.client as airflow
from airflow_client.client.api import (
    config_api,
    connection_api,
    dag_api,
    dag_run_api,
    dag_stats_api,
    event_log_api,
    import_error_api,
    monitoring_api,
    pool_api,
    provider_api,
    task_instance_api,
    variable_api,
    x_com_api,
)
from airflow_client.client.exceptions import ForbiddenException, NotFoundException
from airflow_client.client.model.clear_dag_run import ClearDagRun
from airflow_client.client.model.clear_task_instances import ClearTaskInstances
from airflow_client.client.model.connection import Connection
from airflow_client.client.model.dag import DAG
from airflow_client.client.model.dag_run import DAGRun
from airflow_client.client.model.list_dag_runs_form import ListDagRunsForm
from airflow_client.client.model.list_task_instance_form import ListTaskInstanceForm
from airflow_client.client.model.pool import Pool
from airflow_client.client.model.set_dag_run_note import SetDagRunNote
from airflow_client.client.model.set_task_instance_note import SetTaskInstanceNote
from airflow_client.client.model.update_dag_run_state import UpdateDagRunState
from airflow_client.client.model.update_task_instance import UpdateTaskInstance
from airflow_client.client.model.update_task_instances_state import UpdateTaskInstancesState
from airflow_client.client.model.update_task_state import UpdateTaskState
from airflow_client.client.model.variable import Variable

DAG_ID = "api_clients"
RUN_DEADLINE_S = 60


def report(text: str) -> None:
    sys.stdout.write(f"  {text}\n")
    sys.stdout.flush()


def wait_for_end(runs, run_id: str) -> str:
    deadline = time.monotonic() + RUN_DEADLINE_S
    while time.monotonic() < deadline:
        state = str(runs.get_dag_run(DAG_ID, run_id).state)
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
    dags = dag_api.DAGApi(client)
    wait_for_dag(dags)
    assert dags.get_dags(tags=["clients"], limit=5).total_entries == 1
    details = dags.get_dag_details(DAG_ID)
    assert details.params["size"]["value"] == 3
    # The client itself cannot read what DAGDetail shares with DAG, only what it adds.
    schedule = dags.get_dag(DAG_ID).schedule_interval
    assert schedule.value in ("@daily", "0 0 * * *"), schedule
    assert (
        dags.patch_dag(DAG_ID, DAG(is_paused=False), update_mask=["is_paused"]).is_paused is False
    )
    assert dags.patch_dags(DAG_ID, DAG(is_paused=False)).total_entries == 1
    assert {task.task_id for task in dags.get_tasks(DAG_ID).tasks} == {"load", "double", "check"}
    assert list(dags.get_task(DAG_ID, "load").downstream_task_ids) == ["double"]
    token = dags.get_dag(DAG_ID).file_token
    assert "too large" in dags.get_dag_source(token, _check_return_type=False).content
    report("dags: 9 operations")


def use_runs(client) -> None:
    runs = dag_run_api.DAGRunApi(client)
    made = runs.post_dag_run(DAG_ID, DAGRun(dag_run_id="v1_good", conf={"size": 7}))
    assert made.conf["size"] == 7
    assert wait_for_end(runs, "v1_good") == "success"
    assert runs.get_dag_runs(DAG_ID, state=["success"], order_by="-start_date").total_entries >= 1
    form = ListDagRunsForm(dag_ids=[DAG_ID], page_limit=5)
    assert runs.get_dag_runs_batch(form).total_entries >= 1
    assert runs.set_dag_run_note(DAG_ID, "v1_good", SetDagRunNote(note="seen")).note == "seen"
    runs.post_dag_run(DAG_ID, DAGRun(dag_run_id="v1_bad", conf={"size": 700}))
    assert wait_for_end(runs, "v1_bad") == "failed"
    listed = runs.clear_dag_run(DAG_ID, "v1_bad", ClearDagRun(), _check_return_type=False)
    assert len(listed["task_instances"]) == 4
    runs.clear_dag_run(DAG_ID, "v1_bad", ClearDagRun(dry_run=False), _check_return_type=False)
    assert wait_for_end(runs, "v1_bad") == "failed"
    marked = runs.update_dag_run_state(DAG_ID, "v1_bad", UpdateDagRunState(state="success"))
    assert str(marked.state) == "success"
    report("dag runs: 8 operations")


def use_task_instances(client) -> None:
    tasks = task_instance_api.TaskInstanceApi(client)
    dags = dag_api.DAGApi(client)
    run = "v1_good"
    assert tasks.get_task_instances(DAG_ID, run).total_entries == 4
    assert tasks.get_task_instances("~", "~", state=["success"]).total_entries >= 4
    form = ListTaskInstanceForm(dag_ids=[DAG_ID], task_ids=["load"])
    assert tasks.get_task_instances_batch(form).total_entries >= 1
    assert str(tasks.get_task_instance(DAG_ID, run, "load").state) == "success"
    assert tasks.get_mapped_task_instance(DAG_ID, run, "double", 1).map_index == 1
    assert tasks.get_mapped_task_instances(DAG_ID, run, "double").total_entries == 2
    assert tasks.get_task_instance_tries(DAG_ID, run, "load").total_entries == 1
    assert tasks.get_task_instance_try_details(DAG_ID, run, "load", 1).try_number == 1
    assert tasks.get_mapped_task_instance_tries(DAG_ID, run, "double", 0).total_entries == 1
    found = tasks.get_mapped_task_instance_try_details(DAG_ID, run, "double", 0, 1)
    assert found.map_index == 0
    assert tasks.get_task_instance_dependencies(DAG_ID, run, "load").dependencies == []
    note = SetTaskInstanceNote(note="fine")
    assert tasks.set_task_instance_note(DAG_ID, run, "load", note).note == "fine"
    assert tasks.set_mapped_task_instance_note(DAG_ID, run, "double", 0, note).note == "fine"
    log = tasks.get_log(DAG_ID, run, "load", 1, full_content=True, _check_return_type=False)
    pairs = ast.literal_eval(log.content if hasattr(log, "content") else log["content"])
    assert "loading 7" in pairs[0][1]
    update = UpdateTaskInstance(dry_run=False, new_state=UpdateTaskState("failed"))
    assert tasks.patch_task_instance(DAG_ID, run, "check", update).task_id == "check"
    mapped = tasks.patch_mapped_task_instance(DAG_ID, run, "double", 0, update_task_instance=update)
    assert mapped.task_id == "double"
    several = UpdateTaskInstancesState(
        dry_run=True, task_id="check", dag_run_id=run, new_state=UpdateTaskState("success")
    )
    assert len(dags.post_set_task_instances_state(DAG_ID, several).task_instances) == 1
    clear = ClearTaskInstances(dry_run=False, dag_run_id=run, only_failed=True)
    cleared = dags.post_clear_task_instances(DAG_ID, clear)
    assert {one.task_id for one in cleared.task_instances} == {"check", "double"}
    assert wait_for_end(dag_run_api.DAGRunApi(client), run) == "success"
    xcoms = x_com_api.XComApi(client)
    assert xcoms.get_xcom_entries(DAG_ID, run, "load").total_entries >= 1
    value = xcoms.get_xcom_entry(DAG_ID, run, "load", "return_value").value
    assert value == "{'size': 7}", value
    report("task instances, logs, XComs: 20 operations")


def use_settings(client) -> None:
    pools = pool_api.PoolApi(client)
    pools.post_pool(Pool(name="v1_pool", slots=3, description="d"))
    assert pools.patch_pool("v1_pool", Pool(name="v1_pool", slots=4)).slots == 4
    assert pools.get_pool("v1_pool").open_slots == 4
    assert pools.get_pools().total_entries == 2
    pools.delete_pool("v1_pool")
    variables = variable_api.VariableApi(client)
    variables.post_variables(Variable(key="v1_key", value="a"))
    variables.patch_variable("v1_key", Variable(key="v1_key", value="b"))
    assert variables.get_variable("v1_key").value == "b"
    assert variables.get_variables().total_entries == 1
    variables.delete_variable("v1_key")
    connections = connection_api.ConnectionApi(client)
    made = Connection(connection_id="v1_con", conn_type="http", host="h", password="hidden-value")
    connections.post_connection(made)
    change = Connection(connection_id="v1_con", conn_type="http", port=80)
    assert connections.patch_connection("v1_con", change, update_mask=["port"]).port == 80
    assert "hidden-value" not in str(connections.get_connection("v1_con"))
    assert connections.get_connections().total_entries == 1
    try:
        connections.test_connection(made)
    except ForbiddenException:
        pass
    else:
        raise SystemExit("a connection was tested")
    connections.delete_connection("v1_con")
    report("pools, variables, connections: 16 operations")


def use_system(client) -> None:
    monitoring = monitoring_api.MonitoringApi(client)
    assert str(monitoring.get_health().scheduler.status) == "healthy"
    assert monitoring.get_version().version.startswith("2.")
    errors = import_error_api.ImportErrorApi(client)
    (found,) = errors.get_import_errors().import_errors
    assert "on purpose" in errors.get_import_error(found.import_error_id).stack_trace
    events = event_log_api.EventLogApi(client)
    listed = events.get_event_logs(dag_id=DAG_ID, order_by="-event_log_id", limit=3)
    assert len(listed.event_logs) == 3
    assert events.get_event_log(listed.event_logs[0].event_log_id).dag_id == DAG_ID
    assert dag_stats_api.DagStatsApi(client).get_dag_stats(DAG_ID).total_entries == 1
    assert provider_api.ProviderApi(client).get_providers()["total_entries"] == 0
    try:
        config_api.ConfigApi(client).get_config()
    except ForbiddenException:
        pass
    else:
        raise SystemExit("settings were shown")
    runs = dag_run_api.DAGRunApi(client)
    runs.delete_dag_run(DAG_ID, "v1_bad")
    report("system: 10 operations")


def main() -> None:
    base, user, password = sys.argv[1:]
    configuration = airflow.Configuration(f"{base}/api/v1", username=user, password=password)
    with airflow.ApiClient(configuration) as client:
        for use in (use_dags, use_runs, use_task_instances, use_settings, use_system):
            use(client)


if __name__ == "__main__":
    main()
