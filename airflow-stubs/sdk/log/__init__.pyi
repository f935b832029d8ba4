# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.secrets_masker import mask_secret as mask_secret
from tradewind.sdk.secrets_masker import redact as redact
