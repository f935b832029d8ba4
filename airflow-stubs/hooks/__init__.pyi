# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from . import S3_hook as S3_hook
from . import base as base
from . import base_hook as base_hook
from . import dbapi as dbapi
from . import dbapi_hook as dbapi_hook
from . import http_hook as http_hook
from . import mysql_hook as mysql_hook
from . import postgres_hook as postgres_hook
from . import sqlite_hook as sqlite_hook
from . import subprocess as subprocess
