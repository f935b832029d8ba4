# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from . import gcs_to_bq as gcs_to_bq
from . import kubernetes_pod_operator as kubernetes_pod_operator
from . import ssh_operator as ssh_operator
