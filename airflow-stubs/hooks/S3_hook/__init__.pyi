# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from airflow.providers.amazon.aws.hooks.s3 import S3Hook as S3Hook
