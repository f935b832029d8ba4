"""Lets the tests of this folder import ``planning_runs`` (there are no packages here)."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
