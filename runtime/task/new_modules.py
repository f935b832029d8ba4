"""Which modules were imported since a moment, without looking at those that were there before.

A forked process pays with a copied page for each name that it looks at, because Python counts
references: the names of what the zygote has imported lie on 200 pages.
"""

from __future__ import annotations

import sys
from itertools import islice


class ModuleMark:
    """A moment in the life of ``sys.modules``."""

    def __init__(self) -> None:
        """Remember this moment."""
        self._count = len(sys.modules)
        self._last = next(reversed(sys.modules))

    def added(self) -> list[str]:
        """Return the names of modules imported since, newest first.

        A dictionary keeps its order, so they stand at its end. Where somebody took modules out
        meanwhile that cannot be relied on: then it returns the names of all.
        """
        count = len(sys.modules) - self._count
        names = list(islice(reversed(sys.modules), max(0, count) + 1))
        return names[:-1] if names[-1] == self._last and count >= 0 else list(sys.modules)
