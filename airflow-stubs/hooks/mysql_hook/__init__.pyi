# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from airflow.providers.mysql.hooks.mysql import MySqlHook as MySqlHook
