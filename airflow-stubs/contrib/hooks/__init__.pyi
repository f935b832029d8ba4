# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from . import aws_dynamodb_hook as aws_dynamodb_hook
from . import aws_hook as aws_hook
from . import aws_lambda_hook as aws_lambda_hook
from . import ssh_hook as ssh_hook
