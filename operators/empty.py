"""``EmptyOperator``: a node without work, to gather edges (semantics section 7.6)."""

from __future__ import annotations

from typing import Any

from ..sdk.base_operator import BaseOperator


class EmptyOperator(BaseOperator):
    """Does nothing, and needs no process for it."""

    ui_color = "#e8f7e4"
    _is_empty = True

    def execute(self, context: Any) -> None:
        """Do nothing."""
