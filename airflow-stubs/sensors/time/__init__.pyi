# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.operators.sensors.time_of_day import TimeSensor as TimeSensor
from tradewind.operators.sensors.time_of_day import TimeSensorAsync as TimeSensorAsync
