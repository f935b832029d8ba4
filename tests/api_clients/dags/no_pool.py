"""A task whose pool does not exist: the DAG loads, and is warned of."""

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG

with DAG("no_pool", schedule=None):
    EmptyOperator(task_id="waits", pool="no_such_pool")
