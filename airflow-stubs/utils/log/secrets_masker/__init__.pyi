# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.secrets_masker import SecretsMasker as SecretsMasker
from tradewind.sdk.secrets_masker import mask_secret as mask_secret
from tradewind.sdk.secrets_masker import redact as redact
from tradewind.sdk.secrets_masker import should_hide_value_for_key as should_hide_value_for_key
