# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.triggers import BaseEventTrigger as BaseEventTrigger
from tradewind.sdk.triggers import BaseTaskEndEvent as BaseTaskEndEvent
from tradewind.sdk.triggers import BaseTrigger as BaseTrigger
from tradewind.sdk.triggers import StartTriggerArgs as StartTriggerArgs
from tradewind.sdk.triggers import TaskFailedEvent as TaskFailedEvent
from tradewind.sdk.triggers import TaskSkippedEvent as TaskSkippedEvent
from tradewind.sdk.triggers import TaskSuccessEvent as TaskSuccessEvent
from tradewind.sdk.triggers import TriggerEvent as TriggerEvent
