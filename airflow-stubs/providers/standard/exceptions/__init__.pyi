# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.exceptions import ExternalTaskFailedError as ExternalTaskFailedError
from tradewind.sdk.exceptions import ExternalTaskGroupFailedError as ExternalTaskGroupFailedError
from tradewind.operators.hitl import HITLRejectException as HITLRejectException
from tradewind.operators.hitl import HITLTimeoutError as HITLTimeoutError
from tradewind.operators.hitl import HITLTriggerEventError as HITLTriggerEventError
