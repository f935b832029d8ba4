# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.operators.sensors.time_delta import TimeDeltaSensor as TimeDeltaSensor
from tradewind.operators.sensors.time_delta import TimeDeltaSensorAsync as TimeDeltaSensorAsync
from tradewind.operators.sensors.time_delta import WaitSensor as WaitSensor
