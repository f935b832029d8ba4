# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from . import base as base
from . import base_sensor_operator as base_sensor_operator
from . import bash as bash
from . import date_time as date_time
from . import date_time_sensor as date_time_sensor
from . import external_task as external_task
from . import external_task_sensor as external_task_sensor
from . import filesystem as filesystem
from . import http_sensor as http_sensor
from . import python as python
from . import python_sensor as python_sensor
from . import time as time
from . import time_delta as time_delta
from . import time_delta_sensor as time_delta_sensor
from . import time_sensor as time_sensor
from . import weekday as weekday
