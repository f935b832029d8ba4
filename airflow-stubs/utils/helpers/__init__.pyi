# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.provider_functions import as_flattened_list as as_flattened_list
from tradewind.sdk.provider_functions import at_most_one as at_most_one
from tradewind.sdk.provider_functions import build_airflow_dagrun_url as build_airflow_dagrun_url
from tradewind.sdk.provider_functions import build_airflow_url_with_query as build_airflow_url_with_query
from tradewind.sdk.edges import chain as chain
from tradewind.sdk.provider_functions import chunks as chunks
from tradewind.sdk.provider_functions import convert_camel_to_snake as convert_camel_to_snake
from tradewind.sdk.edges import cross_downstream as cross_downstream
from tradewind.sdk.provider_functions import exactly_one as exactly_one
from tradewind.sdk.provider_functions import is_container as is_container
from tradewind.sdk.provider_functions import merge_dicts as merge_dicts
from tradewind.sdk.provider_functions import partition as partition
from tradewind.sdk.provider_functions import prune_dict as prune_dict
from tradewind.sdk.operator_arguments import validate_key as validate_key
