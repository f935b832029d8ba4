# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.lineage import AssetLineageInfo as AssetLineageInfo
from tradewind.sdk.lineage import HookLineage as HookLineage
from tradewind.sdk.lineage import HookLineageReader as HookLineageReader
from tradewind.sdk.lineage import get_hook_lineage_collector as get_hook_lineage_collector
