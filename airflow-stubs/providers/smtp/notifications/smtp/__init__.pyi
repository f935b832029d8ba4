# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.operators.smtp import SmtpNotifier as SmtpNotifier
from tradewind.operators.smtp import send_smtp_notification as send_smtp_notification
