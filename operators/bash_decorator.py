"""``@task.bash``: a Python function returns the command (semantics section 3.1)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, ClassVar

from ..sdk.call_arguments import call_with_context
from ..sdk.context import get_current_context
from ..sdk.decorated_operator import DecoratedOperator
from ..sdk.not_set import SET_DURING_EXECUTION
from .bash import BashOperator


class BashDecoratedOperator(DecoratedOperator, BashOperator):
    """Runs the command that a function returns. The command is rendered as a template."""

    template_fields: Sequence[str] = (
        *DecoratedOperator.template_fields,
        *BashOperator.template_fields,
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {
        **DecoratedOperator.template_fields_renderers,
        **BashOperator.template_fields_renderers,
    }
    custom_operator_name = "@task.bash"
    #: The command is known after execution only, and shown then.
    overwrite_rtif_after_execution = True

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        op_args: Collection[Any] | None = None,
        op_kwargs: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            python_callable=python_callable,
            op_args=tuple(op_args or ()),
            op_kwargs=op_kwargs,
            bash_command=SET_DURING_EXECUTION,
            **kwargs,
        )

    def execute(self, context: Any) -> Any:
        command = call_with_context(
            self.python_callable, self.op_args, self.op_kwargs, get_current_context()
        )
        if not isinstance(command, str) or not command.strip():
            raise TypeError(
                f"the function of @task.bash {self.task_id!r} must return a command, "
                f"a text that is not empty; it returned {command!r}"
            )
        self.bash_command = self.render_template(command, context)
        return BashOperator.execute(self, context)
