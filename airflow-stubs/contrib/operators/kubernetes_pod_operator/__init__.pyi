# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator as KubernetesPodOperator
