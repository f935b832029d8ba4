# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.asset import Dataset as Dataset
from tradewind.sdk.asset import AssetAlias as _DatasetAlias
DatasetAlias = _DatasetAlias
from tradewind.sdk.asset import AssetAll as _DatasetAll
DatasetAll = _DatasetAll
from tradewind.sdk.asset import AssetAny as _DatasetAny
DatasetAny = _DatasetAny
from . import metadata as metadata
