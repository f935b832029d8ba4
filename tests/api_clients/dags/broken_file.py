"""Cannot be imported, so that there is an import error to be listed."""

import airflow  # noqa: F401 - a file that names neither is not taken for a DAG file

raise RuntimeError("this file is broken on purpose")
