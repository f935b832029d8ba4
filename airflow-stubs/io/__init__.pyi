# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.object_storage import ObjectStoragePath as ObjectStoragePath
from tradewind.sdk.object_storage import attach as attach
from tradewind.sdk.object_storage import get_fs as get_fs
from tradewind.sdk.object_storage import has_fs as has_fs
from . import path as path
