# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from airflow.providers.google.cloud.transfers.gcs_to_bigquery import GCSToBigQueryOperator as _GoogleCloudStorageToBigQueryOperator
GoogleCloudStorageToBigQueryOperator = _GoogleCloudStorageToBigQueryOperator
