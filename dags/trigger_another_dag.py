"""One DAG starts another and waits for it, handing it a configuration."""

from datetime import datetime

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import dag, task


@dag(schedule=None, start_date=datetime(2024, 1, 1), tags=["example"])
def trigger_another_dag():
    @task
    def choose_amount() -> int:
        return 50

    # Passed as a value, so that it stays a number: a template would make a text of it.
    # "branching" has to be un-paused, or its run waits.
    TriggerDagRunOperator(
        task_id="start_branching",
        trigger_dag_id="branching",
        conf={"amount": choose_amount()},
    )


trigger_another_dag_dag = trigger_another_dag()
