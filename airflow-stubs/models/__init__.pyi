# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.base_operator import BaseOperator as BaseOperator
from tradewind.sdk.operator_link import BaseOperatorLink as BaseOperatorLink
from tradewind.sdk.connection import Connection as Connection
from tradewind.sdk.dag import DAG as DAG
from tradewind.scheduler.dag_bag import DagBag as DagBag
from tradewind.sdk.metadata_session import out_of_reach as _DagModel
DagModel = _DagModel
from tradewind.sdk.dag_run import DagRun as DagRun
from tradewind.sdk.metadata_session import out_of_reach as _DagTag
DagTag = _DagTag
from tradewind.sdk.metadata_session import out_of_reach as _Log
Log = _Log
from tradewind.sdk.param import Param as Param
from tradewind.sdk.metadata_session import out_of_reach as _Pool
Pool = _Pool
from tradewind.operators.skip_mixin import SkipMixin as SkipMixin
from tradewind.sdk.metadata_session import out_of_reach as _SlaMiss
SlaMiss = _SlaMiss
from tradewind.sdk.task_instance import RuntimeTaskInstance as _TaskInstance
TaskInstance = _TaskInstance
from tradewind.sdk.metadata_session import out_of_reach as _TaskReschedule
TaskReschedule = _TaskReschedule
from tradewind.sdk.variable import Variable as Variable
from tradewind.sdk.xcom import BaseXCom as _XCom
XCom = _XCom
from . import abstractoperator as abstractoperator
from . import asset as asset
from . import baseoperator as baseoperator
from . import baseoperatorlink as baseoperatorlink
from . import connection as connection
from . import dag as dag
from . import dagbag as dagbag
from . import dagrun as dagrun
from . import dataset as dataset
from . import mappedoperator as mappedoperator
from . import operator as operator
from . import param as param
from . import renderedtifields as renderedtifields
from . import serialized_dag as serialized_dag
from . import skipmixin as skipmixin
from . import taskgroup as taskgroup
from . import taskinstance as taskinstance
from . import taskinstancekey as taskinstancekey
from . import taskmixin as taskmixin
from . import variable as variable
from . import xcom as xcom
from . import xcom_arg as xcom_arg
