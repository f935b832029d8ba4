# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.settings_values import AIRFLOW_HOME as AIRFLOW_HOME
from tradewind.sdk.settings_values import DAGS_FOLDER as DAGS_FOLDER
from tradewind.sdk.settings_values import PLUGINS_FOLDER as PLUGINS_FOLDER
from tradewind.sdk.metadata_session import Session as Session
from tradewind.sdk.settings_values import TIMEZONE as TIMEZONE
from tradewind.sdk.settings_values import configure_orm as configure_orm
from tradewind.sdk.metadata_session import engine as engine
from tradewind.sdk.settings_values import pod_mutation_hook as pod_mutation_hook
