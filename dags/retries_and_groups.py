"""Retries, task groups and templates: a flaky service is asked again until it answers."""

from datetime import datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import dag, task, task_group


@dag(
    schedule="*/15 * * * *",
    start_date=datetime(2024, 1, 1),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(minutes=10),
    tags=["example"],
)
def retries_and_groups():
    @task(retries=3, retry_delay=timedelta(seconds=2))
    def ask_flaky_service(ti=None) -> int:
        if ti.try_number < 2:
            raise ConnectionError("the service is not answering; the next try will succeed")
        return 42

    @task_group
    def report(answer):
        @task
        def check(value: int) -> int:
            if value != 42:
                raise ValueError(f"expected 42, got {value}")
            return value

        check(answer) >> BashOperator(
            task_id="announce",
            # Whoever triggers a run chooses its id: bash gets it by the environment, never as code.
            bash_command='echo "run $RUN_ID on $DAY is fine"',
            env={"RUN_ID": "{{ run_id }}", "DAY": "{{ ds }}"},
            append_env=True,
        )

    report(ask_flaky_service())


retries_and_groups_dag = retries_and_groups()

if __name__ == "__main__":
    retries_and_groups_dag.test()
