# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.task_instance import host_name as _get_hostname
get_hostname = _get_hostname
from tradewind.sdk.task_instance import host_name as _getfqdn
getfqdn = _getfqdn
