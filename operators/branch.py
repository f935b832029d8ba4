"""Branches: follow some of the tasks below, skip the others (semantics section 7.4)."""

from __future__ import annotations

from typing import Any

from ..sdk.base_operator import BaseOperator
from .python import PythonOperator
from .skip_mixin import BranchMixIn


class BaseBranchOperator(BaseOperator, BranchMixIn):
    """Derive from it, and return the ids of the tasks to follow from ``choose_branch``."""

    def choose_branch(self, context: Any) -> Any:
        """Return the id, or ids, of tasks or task groups to follow; None: follow nothing."""
        raise NotImplementedError

    def execute(self, context: Any) -> Any:
        return self.do_branch(context, self.choose_branch(context))


class BranchPythonOperator(PythonOperator, BranchMixIn):
    """A function returns the id, or ids, of tasks or task groups to follow; None: follow nothing.

    Those need not be direct downstream: a direct downstream task is followed if it is chosen, or
    lies below a chosen one. The others are skipped.
    """

    def choose_branch(self, context: Any) -> Any:
        """Return what the function chose."""
        return super().execute(context)

    def execute(self, context: Any) -> Any:
        return self.do_branch(context, self.choose_branch(context))
