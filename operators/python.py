"""``PythonOperator``: call a Python function (semantics section 7.2)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, ClassVar

from ..sdk.base_operator import BaseOperator
from ..sdk.call_arguments import call_with_context
from ..sdk.exceptions import InvalidArgumentError


class PythonOperator(BaseOperator):
    """Calls *python_callable*; what it returns becomes the XCom ``return_value``.

    Args:
        op_args, op_kwargs: its arguments. Templates in them are rendered.
        templates_dict: further templates, handed over as the context key of that name.
        templates_exts: endings of files that templates may name.
        show_return_value_in_logs: False keeps a large or secret result out of the log.
    """

    template_fields: Sequence[str] = ("templates_dict", "op_args", "op_kwargs")
    template_fields_renderers: ClassVar[dict[str, str]] = {
        "templates_dict": "json",
        "op_args": "py",
        "op_kwargs": "py",
    }
    ui_color = "#ffefeb"
    shallow_copy_attrs: Sequence[str] = ("python_callable", "op_kwargs")

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        op_args: Collection[Any] | None = None,
        op_kwargs: Mapping[str, Any] | None = None,
        templates_dict: dict[str, Any] | None = None,
        templates_exts: Sequence[str] | None = None,
        show_return_value_in_logs: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not callable(python_callable):
            raise InvalidArgumentError("python_callable must be a function")
        self.python_callable = python_callable
        self.op_args = op_args if op_args is not None else ()
        self.op_kwargs = op_kwargs if op_kwargs is not None else {}
        self.templates_dict = templates_dict
        if templates_exts:
            self.template_ext = templates_exts
        self.show_return_value_in_logs = show_return_value_in_logs

    def execute(self, context: Any) -> Any:
        context["templates_dict"] = self.templates_dict
        result = self.execute_callable()
        if self.show_return_value_in_logs:
            self.log.info("Done. Returned value was: %s", result)
        else:
            self.log.info("Done. Returned value not shown")
        return result

    def execute_callable(self) -> Any:
        """Call the function. For subclasses that run it elsewhere."""
        from ..sdk.context import get_current_context

        context = get_current_context()
        return call_with_context(self.python_callable, self.op_args, self.op_kwargs, context)
