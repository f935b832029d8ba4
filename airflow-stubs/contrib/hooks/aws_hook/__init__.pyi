# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook as _AwsHook
AwsHook = _AwsHook
