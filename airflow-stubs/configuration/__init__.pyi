# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.settings_values import AIRFLOW_HOME as AIRFLOW_HOME
from tradewind.sdk.configuration import conf as conf
from tradewind.sdk.settings_values import get as get
from tradewind.sdk.settings_values import getboolean as getboolean
from tradewind.sdk.settings_values import getfloat as getfloat
from tradewind.sdk.settings_values import getint as getint
from tradewind.sdk.settings_values import has_option as has_option
