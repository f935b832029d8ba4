# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from airflow.providers.postgres.hooks.postgres import PostgresHook as PostgresHook
