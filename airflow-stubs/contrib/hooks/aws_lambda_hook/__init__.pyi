# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from airflow.providers.amazon.aws.hooks.lambda_function import LambdaHook as _AwsLambdaHook
AwsLambdaHook = _AwsLambdaHook
