"""The parts of the chaos tests lie beside them, and a home of its own comes from benchmarks/."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
for folder in (HERE, HERE.parent.parent / "benchmarks"):
    sys.path.insert(0, str(folder))
