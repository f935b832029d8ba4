"""``ShortCircuitOperator``: go on, or skip what is below (semantics section 7.5)."""

from __future__ import annotations

from typing import Any

from .python import PythonOperator
from .skip_mixin import XCOM_SKIPMIXIN_SKIPPED, SkipMixin, note_skip


class ShortCircuitOperator(PythonOperator, SkipMixin):
    """Calls a function; if what it returns is false, tasks below are skipped. Never teardowns.

    Args:
        ignore_downstream_trigger_rules: True skips everything below, False the direct downstream
            only, and leaves the rest to their trigger rules.
    """

    ui_color = "#ffefeb"

    def __init__(self, *, ignore_downstream_trigger_rules: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.ignore_downstream_trigger_rules = ignore_downstream_trigger_rules

    def execute(self, context: Any) -> Any:
        condition = super().execute(context)
        if condition:
            self.log.info("The condition is true: going on")
            return condition
        ti = context["ti"]
        task = ti.task
        below = (
            task.get_flat_relatives(upstream=False)
            if self.ignore_downstream_trigger_rules
            else task.get_direct_relatives(upstream=False)
        )
        to_skip = [other.task_id for other in below if not other.is_teardown]
        self.log.info("The condition is false: skipping %s", to_skip)
        if to_skip:
            note_skip(ti, {XCOM_SKIPMIXIN_SKIPPED: to_skip}, to_skip)
        return condition
