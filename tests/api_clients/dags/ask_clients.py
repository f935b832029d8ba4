"""A task that asks a person."""

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import DAG, Param

with DAG("ask_clients", schedule=None):
    HITLOperator(
        task_id="ask",
        subject="Ship it?",
        options=["yes", "no"],
        params={"percent": Param(10, type="integer")},
    )
