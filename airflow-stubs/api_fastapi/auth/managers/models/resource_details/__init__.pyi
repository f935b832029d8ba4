# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.asset_details import AssetAliasDetails as AssetAliasDetails
from tradewind.sdk.asset_details import AssetDetails as AssetDetails
