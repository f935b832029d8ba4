# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from . import bash_sensor as bash_sensor
from . import file_sensor as file_sensor
from . import python_sensor as python_sensor
from . import weekday_sensor as weekday_sensor
