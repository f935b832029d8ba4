# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.base_operator import BaseAsyncOperator as BaseAsyncOperator
from tradewind.sdk.base_operator import BaseOperator as BaseOperator
from tradewind.sdk.edges import chain as chain
from tradewind.sdk.edges import chain_linear as chain_linear
from tradewind.sdk.edges import cross_downstream as cross_downstream
