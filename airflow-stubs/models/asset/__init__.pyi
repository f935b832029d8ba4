# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.metadata_session import out_of_reach as _AssetEvent
AssetEvent = _AssetEvent
from tradewind.sdk.metadata_session import out_of_reach as _AssetModel
AssetModel = _AssetModel
from tradewind.sdk.metadata_session import refuse_session as _expand_alias_to_assets
expand_alias_to_assets = _expand_alias_to_assets
