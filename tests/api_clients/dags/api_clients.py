"""What the clients are tried on: an XCom, parameters, a mapped task, a failure to be cleared."""

from datetime import datetime

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import TaskGroup, dag, task


@dag(
    dag_id="api_clients",
    schedule="@daily",
    start_date=datetime(2024, 1, 1),
    end_date=datetime(2024, 1, 5),
    catchup=False,
    params={"size": 3},
    tags=["clients"],
)
def api_clients():
    @task
    def load(params=None):
        print("loading", params["size"])
        return {"size": params["size"]}

    @task
    def double(number):
        return number * 2

    @task
    def check(params=None):
        if params["size"] > 100:
            raise ValueError("too large")

    with TaskGroup("last"):
        end = EmptyOperator(task_id="end")
    load() >> double.expand(number=[1, 2]) >> check() >> end


api_clients()
