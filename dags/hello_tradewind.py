"""The smallest useful DAG. It starts un-paused and runs once, so that a first look shows a run."""

from datetime import datetime

from airflow.sdk import dag, task


@dag(
    dag_id="hello_tradewind",
    schedule="@once",
    start_date=datetime(2024, 1, 1),
    catchup=False,
    is_paused_upon_creation=False,
    tags=["example"],
)
def hello_tradewind():
    @task
    def greet() -> str:
        return "Hello from Tradewind"

    @task
    def shout(greeting: str) -> str:
        print(greeting.upper())
        return greeting.upper()

    shout(greet())


hello_tradewind_dag = hello_tradewind()

if __name__ == "__main__":
    hello_tradewind_dag.test()
