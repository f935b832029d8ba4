# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.metadata_session import out_of_reach as _RenderedTaskInstanceFields
RenderedTaskInstanceFields = _RenderedTaskInstanceFields
