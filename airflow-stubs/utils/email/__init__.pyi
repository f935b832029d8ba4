# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.operators.mail import build_mime_message as build_mime_message
from tradewind.operators.mail import get_email_address_list as get_email_address_list
from tradewind.operators.mail import send_email as send_email
from tradewind.operators.mail import send_email_smtp as send_email_smtp
from tradewind.operators.mail import send_mime_email as send_mime_email
