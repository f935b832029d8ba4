# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.operators.sensors.external_task import ExternalTaskMarker as ExternalTaskMarker
from tradewind.operators.sensors.external_task import ExternalTaskSensor as ExternalTaskSensor
