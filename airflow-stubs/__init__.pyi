# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
__version__: str
from tradewind.sdk.asset import Asset as Asset
from tradewind.sdk.dag import DAG as DAG
from tradewind.sdk.asset import Dataset as Dataset
from tradewind.sdk.xcom_arg import XComArg as XComArg
from . import assets as assets
from . import configuration as configuration
from . import datasets as datasets
from . import decorators as decorators
from . import exceptions as exceptions
from . import io as io
from . import listeners as listeners
from . import macros as macros
from . import models as models
from . import operators as operators
from . import partition_mappers as partition_mappers
from . import plugins_manager as plugins_manager
from . import providers_manager as providers_manager
from . import sdk as sdk
from . import secrets as secrets
from . import settings as settings
from . import stats as stats
from . import typing_compat as typing_compat
from . import utils as utils
from . import version as version
