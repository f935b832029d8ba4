# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.operators.sensors.day_of_week import DayOfWeekSensor as DayOfWeekSensor
