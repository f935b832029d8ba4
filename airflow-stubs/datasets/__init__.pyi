# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.asset import Dataset as Dataset
from tradewind.sdk.asset import AssetAlias as _DatasetAlias
DatasetAlias = _DatasetAlias
from tradewind.sdk.asset import AssetAll as _DatasetAll
DatasetAll = _DatasetAll
from tradewind.sdk.asset import AssetAny as _DatasetAny
DatasetAny = _DatasetAny
from tradewind.sdk.metadata_session import refuse_session as _expand_alias_to_datasets
expand_alias_to_datasets = _expand_alias_to_datasets
from . import metadata as metadata
