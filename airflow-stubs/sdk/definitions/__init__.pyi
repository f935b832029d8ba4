# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from . import asset as asset
from . import callback as callback
from . import connection as connection
from . import context as context
from . import dag as dag
from . import deadline as deadline
from . import decorators as decorators
from . import edges as edges
from . import mappedoperator as mappedoperator
from . import param as param
from . import retry_policy as retry_policy
from . import taskgroup as taskgroup
from . import template as template
from . import variable as variable
from . import xcom_arg as xcom_arg
