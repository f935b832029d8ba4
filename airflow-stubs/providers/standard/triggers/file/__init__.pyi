# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.operators.triggers.file import DirectoryFileDeleteTrigger as DirectoryFileDeleteTrigger
from tradewind.operators.triggers.file import FileDeleteTrigger as FileDeleteTrigger
from tradewind.operators.triggers.file import FileTrigger as FileTrigger
