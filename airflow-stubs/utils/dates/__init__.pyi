# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.relative_dates import cron_presets as cron_presets
from tradewind.sdk.relative_dates import days_ago as days_ago
