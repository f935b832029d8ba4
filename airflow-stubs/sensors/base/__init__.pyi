# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.base_sensor import BaseSensorOperator as BaseSensorOperator
from tradewind.sdk.base_sensor import PokeReturnValue as PokeReturnValue
from tradewind.sdk.base_sensor import poke_mode_only as poke_mode_only
