# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from . import logging_mixin as logging_mixin
from . import secrets_masker as secrets_masker
