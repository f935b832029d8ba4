"""The import façade: Airflow's import paths of both generations, answered by Tradewind.

No logic lives here. ``names.py`` says which of our objects stands behind which path, and a finder,
asked last, makes the modules when somebody imports them. Nothing of ours is loaded before a name
is asked for.
"""

from pkgutil import extend_path

# Provider packages from PyPI are installed beside us, perhaps in another folder.
__path__ = extend_path(__path__, __name__)

import tradewind

from .finder import install

__version__ = tradewind.AIRFLOW_VERSION
install(__name__)

__all__ = ["__version__"]
