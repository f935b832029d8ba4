# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.operators.sensors.date_time import DateTimeSensor as DateTimeSensor
from tradewind.operators.sensors.date_time import DateTimeSensorAsync as DateTimeSensorAsync
