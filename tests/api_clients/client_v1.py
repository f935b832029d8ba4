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
    dag_warning_api,
    dataset_api,
    event_log_api,
    import_error_api,
    monitoring_api,
    permission_api,
    plugin_api,
    pool_api,
    provider_api,
    role_api,
    task_instance_api,
    user_api,
    variable_api,
    x_com_api,
)
from airflow_client.client.exceptions import ForbiddenException, NotFoundException
from airflow_client.client.model.action import Action
from airflow_client.client.model.action_resource import ActionResource
from airflow_client.client.model.clear_dag_run import ClearDagRun
from airflow_client.client.model.clear_task_instances import ClearTaskInstances
from airflow_client.client.model.connection import Connection
from airflow_client.client.model.create_dataset_event import CreateDatasetEvent
from airflow_client.client.model.dag import DAG
from airflow_client.client.model.dag_run import DAGRun
from airflow_client.client.model.list_dag_runs_form import ListDagRunsForm
from airflow_client.client.model.list_task_instance_form import ListTaskInstanceForm
from airflow_client.client.model.pool import Pool
from airflow_client.client.model.resource import Resource
from airflow_client.client.model.role import Role
from airflow_client.client.model.set_dag_run_note import SetDagRunNote
from airflow_client.client.model.set_task_instance_note import SetTaskInstanceNote
from airflow_client.client.model.update_dag_run_state import UpdateDagRunState
from airflow_client.client.model.update_task_instance import UpdateTaskInstance
from airflow_client.client.model.update_task_instances_state import UpdateTaskInstancesState
from airflow_client.client.model.update_task_state import UpdateTaskState
from airflow_client.client.model.user import User
from airflow_client.client.model.user_collection_item_roles import (
    UserCollectionItemRoles,
)
from airflow_client.client.model.variable import Variable
from performed import Calls

DAG_ID = "api_clients"
URI = "s3://clients/orders"
APIS = (
    config_api.ConfigApi,
    connection_api.ConnectionApi,
    dag_api.DAGApi,
    dag_run_api.DAGRunApi,
    dag_stats_api.DagStatsApi,
    dag_warning_api.DagWarningApi,
    dataset_api.DatasetApi,
    event_log_api.EventLogApi,
    import_error_api.ImportErrorApi,
    monitoring_api.MonitoringApi,
    permission_api.PermissionApi,
    plugin_api.PluginApi,
    pool_api.PoolApi,
    provider_api.ProviderApi,
    role_api.RoleApi,
    task_instance_api.TaskInstanceApi,
    user_api.UserApi,
    variable_api.VariableApi,
    x_com_api.XComApi,
)
RUN_DEADLINE_S = 60


def report(text: str) -> None:
    sys.stdout.write(f"  {text}\n")
    sys.stdout.flush()


def wait_for_end(runs, run_id: str, dag_id: str = DAG_ID) -> str:
    deadline = time.monotonic() + RUN_DEADLINE_S
    while time.monotonic() < deadline:
        state = str(runs.get_dag_run(dag_id, run_id).state)
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
    dags = calls.on(dag_api.DAGApi)
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
    assert {task.task_id for task in dags.get_tasks(DAG_ID).tasks} == {
        "load",
        "double",
        "check",
        "last.end",
    }
    assert list(dags.get_task(DAG_ID, "load").downstream_task_ids) == ["double"]
    token = dags.get_dag(DAG_ID).file_token
    assert "too large" in dags.get_dag_source(token, _check_return_type=False).content
    dags.reparse_dag_file(token)
    report("dags")


def use_runs(calls) -> None:
    runs = calls.on(dag_run_api.DAGRunApi)
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
    assert len(listed["task_instances"]) == 5
    runs.clear_dag_run(DAG_ID, "v1_bad", ClearDagRun(dry_run=False), _check_return_type=False)
    assert wait_for_end(runs, "v1_bad") == "failed"
    marked = runs.update_dag_run_state(DAG_ID, "v1_bad", UpdateDagRunState(state="success"))
    assert str(marked.state) == "success"
    report("dag runs")


def use_task_instances(calls) -> None:
    tasks = calls.on(task_instance_api.TaskInstanceApi)
    dags = calls.on(dag_api.DAGApi)
    run = "v1_good"
    assert tasks.get_task_instances(DAG_ID, run).total_entries == 5
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
    mapped = tasks.get_mapped_task_instance_dependencies(DAG_ID, run, "double", 0)
    assert mapped.dependencies == []
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
    assert wait_for_end(calls.on(dag_run_api.DAGRunApi), run) == "success"
    xcoms = calls.on(x_com_api.XComApi)
    assert xcoms.get_xcom_entries(DAG_ID, run, "load").total_entries >= 1
    value = xcoms.get_xcom_entry(DAG_ID, run, "load", "return_value").value
    assert value == "{'size': 7}", value
    report("task instances, logs, XComs")


def use_settings(calls) -> None:
    pools = calls.on(pool_api.PoolApi)
    pools.post_pool(Pool(name="v1_pool", slots=3, description="d"))
    assert pools.patch_pool("v1_pool", Pool(name="v1_pool", slots=4)).slots == 4
    assert pools.get_pool("v1_pool").open_slots == 4
    assert pools.get_pools().total_entries == 2
    pools.delete_pool("v1_pool")
    variables = calls.on(variable_api.VariableApi)
    variables.post_variables(Variable(key="v1_key", value="a"))
    variables.patch_variable("v1_key", Variable(key="v1_key", value="b"))
    assert variables.get_variable("v1_key").value == "b"
    assert variables.get_variables().total_entries == 1
    variables.delete_variable("v1_key")
    connections = calls.on(connection_api.ConnectionApi)
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
    report("pools, variables, connections")


def use_system(calls) -> None:
    monitoring = calls.on(monitoring_api.MonitoringApi)
    assert str(monitoring.get_health().scheduler.status) == "healthy"
    assert monitoring.get_version().version.startswith("2.")
    errors = calls.on(import_error_api.ImportErrorApi)
    (found,) = errors.get_import_errors().import_errors
    assert "on purpose" in errors.get_import_error(found.import_error_id).stack_trace
    events = calls.on(event_log_api.EventLogApi)
    listed = events.get_event_logs(dag_id=DAG_ID, order_by="-event_log_id", limit=3)
    assert len(listed.event_logs) == 3
    assert events.get_event_log(listed.event_logs[0].event_log_id).dag_id == DAG_ID
    assert calls.on(dag_stats_api.DagStatsApi).get_dag_stats(DAG_ID).total_entries == 1
    assert calls.on(plugin_api.PluginApi).get_plugins().total_entries == 0
    assert "providers" in calls.on(provider_api.ProviderApi).get_providers()
    (warning,) = calls.on(dag_warning_api.DagWarningApi).get_dag_warnings().dag_warnings
    assert "no_such_pool" in warning["message"]
    try:
        calls.on(config_api.ConfigApi).get_config()
    except ForbiddenException:
        pass
    else:
        raise SystemExit("settings were shown")
    try:
        calls.on(config_api.ConfigApi).get_value("core", "dags_folder")
    except ForbiddenException:
        pass
    else:
        raise SystemExit("a setting was shown")
    runs = calls.on(dag_run_api.DAGRunApi)
    runs.delete_dag_run(DAG_ID, "v1_bad")
    dags = calls.on(dag_api.DAGApi)
    dags.delete_dag("asset_reader")
    report("system")


def use_datasets(calls) -> None:
    datasets = calls.on(dataset_api.DatasetApi)
    dags = calls.on(dag_api.DAGApi)
    runs = calls.on(dag_run_api.DAGRunApi)
    for dag_id in ("asset_maker", "asset_reader"):
        dags.patch_dag(dag_id, DAG(is_paused=False), update_mask=["is_paused"])
    found = datasets.get_datasets(uri_pattern="s3://clients", dag_ids="asset_maker")
    assert [one.uri for one in found.datasets] == [URI]
    assert datasets.get_dataset(URI).consuming_dags[0].dag_id == "asset_reader"
    event = datasets.create_dataset_event(CreateDatasetEvent(dataset_uri=URI, extra={"rows": 3}))
    assert event.extra["rows"] == 3
    waiting = datasets.get_dag_dataset_queued_events("asset_reader")
    assert [one.uri for one in waiting.datasets] == [URI]
    assert datasets.get_dag_dataset_queued_event("asset_reader", URI).dag_id == "asset_reader"
    assert datasets.get_dataset_queued_events(URI).total_entries == 1
    datasets.delete_dag_dataset_queued_event("asset_reader", URI)
    datasets.create_dataset_event(CreateDatasetEvent(dataset_uri=URI))
    datasets.delete_dag_dataset_queued_events("asset_reader")
    datasets.create_dataset_event(CreateDatasetEvent(dataset_uri=URI))
    datasets.delete_dataset_queued_events(URI)
    assert datasets.get_dag_dataset_queued_events("asset_reader").total_entries == 0
    runs.post_dag_run("asset_maker", DAGRun(dag_run_id="v1_made"))
    assert wait_for_end(runs, "v1_made", "asset_maker") == "success"
    datasets.create_dataset_event(CreateDatasetEvent(dataset_uri="s3://clients/prices"))
    deadline = time.monotonic() + RUN_DEADLINE_S
    while not (made := runs.get_dag_runs("asset_reader").dag_runs):
        assert time.monotonic() < deadline, "the assets made no run"
        time.sleep(0.2)
    events = datasets.get_upstream_dataset_events("asset_reader", made[0].dag_run_id)
    assert events.total_entries == 2
    assert runs.get_upstream_dataset_events("asset_reader", made[0].dag_run_id).total_entries == 2
    assert datasets.get_dataset_events(source_dag_id="asset_maker").total_entries == 1
    tasks = calls.on(task_instance_api.TaskInstanceApi)
    (link,) = tasks.get_extra_links("asset_maker", "v1_made", "make").extra_links
    assert (link.name, link.href) == ("Manual", "https://localhost/make")
    assert wait_for_end(runs, made[0].dag_run_id, "asset_reader") == "success"
    report("datasets and links")


def use_users(calls) -> None:
    users = calls.on(user_api.UserApi)
    roles = calls.on(role_api.RoleApi)
    viewer = UserCollectionItemRoles(name="Viewer")
    new = User(
        username="v1_user",
        first_name="A",
        last_name="B",
        email="v1@localhost",
        roles=[viewer],
        password="a-password-of-v1",
    )
    assert users.post_user(new, _check_return_type=False).username == "v1_user"
    change = User(
        username="v1_user",
        first_name="C",
        last_name="B",
        email="v1@localhost",
        roles=[viewer],
        password="another-of-v1",
    )
    changed = users.patch_user("v1_user", change, update_mask=["first_name"])
    assert changed.first_name == "C"
    assert users.get_user("v1_user").email == "v1@localhost"
    assert users.get_users(order_by="username").total_entries == 2
    users.delete_user("v1_user")
    read = ActionResource(action=Action(name="can_read"), resource=Resource(name="DAG:api_clients"))
    assert roles.post_role(Role(name="v1_role", actions=[read])).name == "v1_role"
    assert roles.patch_role("v1_role", Role(name="v1_role", actions=[])).actions == []
    assert roles.get_role("v1_role").name == "v1_role"
    assert roles.get_roles().total_entries == 6
    roles.delete_role("v1_role")
    assert calls.on(permission_api.PermissionApi).get_permissions().total_entries > 3
    report("users and roles")


def main() -> None:
    base, user, password = sys.argv[1:]
    configuration = airflow.Configuration(f"{base}/api/v1", username=user, password=password)
    with airflow.ApiClient(configuration) as client:
        calls = Calls(client, APIS)
        for use in (
            use_dags,
            use_runs,
            use_task_instances,
            use_datasets,
            use_settings,
            use_users,
            use_system,
        ):
            use(calls)
    forgotten = calls.forgotten(())
    if forgotten:
        raise SystemExit(f"never performed: {', '.join(forgotten)}")


if __name__ == "__main__":
    main()
