# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from airflow.providers.amazon.aws.hooks.dynamodb import DynamoDBHook as _AwsDynamoDBHook
AwsDynamoDBHook = _AwsDynamoDBHook
