"""Branches and joins: one way is followed, the other is skipped, and the join runs all the same."""

from datetime import datetime

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import Label, dag, task


@dag(schedule=None, start_date=datetime(2024, 1, 1), params={"amount": 250}, tags=["example"])
def branching():
    @task.branch
    def choose_path(params=None) -> str:
        return "ask_a_person" if params["amount"] > 100 else "approve"

    @task
    def approve():
        print("approved automatically")

    @task
    def ask_a_person():
        print("a person has to look at this one")

    # A skipped branch must not skip the join: it asks for no failure and one success.
    done = EmptyOperator(task_id="done", trigger_rule="none_failed_min_one_success")

    path = choose_path()
    path >> Label("small") >> approve() >> done
    path >> Label("large") >> ask_a_person() >> done


branching_dag = branching()

if __name__ == "__main__":
    branching_dag.test()
