# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from airflow.providers.http.sensors.http import HttpSensor as HttpSensor
