# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.asset import Asset as Asset
from tradewind.sdk.asset import AssetAccessControl as AssetAccessControl
from tradewind.sdk.asset import AssetAlias as AssetAlias
from tradewind.sdk.asset import AssetAll as AssetAll
from tradewind.sdk.asset import AssetAny as AssetAny
from tradewind.sdk.asset import AssetNameRef as AssetNameRef
from tradewind.sdk.asset import AssetRef as AssetRef
from tradewind.sdk.asset import AssetUriRef as AssetUriRef
from tradewind.sdk.asset import AssetWatcher as AssetWatcher
from tradewind.sdk.asset import BaseAsset as BaseAsset
from tradewind.sdk.asset import Dataset as Dataset
from tradewind.sdk.asset import Model as Model
from . import decorators as decorators
from . import metadata as metadata
