# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from typing import Literal as Literal
from typing import ParamSpec as ParamSpec
from typing import Protocol as Protocol
from typing import Self as Self
from typing import TypeGuard as TypeGuard
from typing import TypedDict as TypedDict
from typing import runtime_checkable as runtime_checkable
