# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from airflow.providers.slack.operators.slack import SlackAPIPostOperator as SlackAPIPostOperator
