# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.operators.human_questions import HITLUser as HITLUser
from tradewind.operators.human_questions import get_hitl_detail_content_detail as get_hitl_detail_content_detail
from tradewind.operators.human_questions import update_hitl_detail_response as update_hitl_detail_response
from tradewind.operators.human_questions import upsert_hitl_detail as upsert_hitl_detail
