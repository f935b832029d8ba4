"""A daily extract, transform, load in the style of Airflow 2: operators, contexts, templates."""

from datetime import datetime, timedelta

from airflow.operators.bash import BashOperator
from airflow.operators.python import PythonOperator

from airflow import DAG

default_args = {
    "owner": "data-team",
    "depends_on_past": False,
    "email": ["data-team@example.com"],
    "email_on_failure": False,
    "email_on_retry": False,
    "retries": 2,
    "retry_delay": timedelta(minutes=1),
    "retry_exponential_backoff": True,
}


def extract(**context):
    """Make up a day of orders; a real DAG would read them from where they are kept."""
    day = context["data_interval_start"]
    orders = [{"order_id": n, "amount": (n * day.day) % 97 + 1} for n in range(1, 21)]
    context["task_instance"].xcom_push(key="orders", value=orders)


def transform(**context):
    orders = context["task_instance"].xcom_pull(task_ids="extract", key="orders")
    amounts = [order["amount"] for order in orders]
    return {"count": len(amounts), "total": sum(amounts), "largest": max(amounts)}


dag = DAG(
    dag_id="classic_etl",
    default_args=default_args,
    description="Extract, transform, load: one run a day, in the style of Airflow 2",
    schedule_interval="0 0 * * *",
    start_date=datetime(2024, 1, 1),
    catchup=False,
    tags=["example", "airflow-2-style"],
)

extract_task = PythonOperator(task_id="extract", python_callable=extract, dag=dag)
transform_task = PythonOperator(task_id="transform", python_callable=transform, dag=dag)
load_task = BashOperator(
    task_id="load",
    bash_command=(
        "echo \"{{ ds }}: {{ ti.xcom_pull(task_ids='transform')['count'] }} orders, "
        "{{ ti.xcom_pull(task_ids='transform')['total'] }} in all\""
    ),
    dag=dag,
)

extract_task >> transform_task >> load_task

if __name__ == "__main__":
    dag.test()
