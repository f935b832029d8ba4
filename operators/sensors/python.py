"""``PythonSensor``, and the sensor behind ``@task.sensor`` (semantics section 6.2)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, ClassVar

from ...sdk.base_sensor import BaseSensorOperator, PokeReturnValue
from ...sdk.call_arguments import call_with_context
from ...sdk.exceptions import InvalidArgumentError


class PythonSensor(BaseSensorOperator):
    """Waits until *python_callable* returns something true.

    Args:
        op_args, op_kwargs: its arguments. Templates in them are rendered.
        templates_dict: further templates, handed over as the context key of that name.
    """

    template_fields: Sequence[str] = ("templates_dict", "op_args", "op_kwargs")
    template_fields_renderers: ClassVar[dict[str, str]] = {
        "templates_dict": "json",
        "op_args": "py",
        "op_kwargs": "py",
    }
    shallow_copy_attrs: Sequence[str] = ("python_callable", "op_kwargs")

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        op_args: Collection[Any] | None = None,
        op_kwargs: Mapping[str, Any] | None = None,
        templates_dict: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not callable(python_callable):
            raise InvalidArgumentError("python_callable must be a function")
        self.python_callable = python_callable
        self.op_args = op_args if op_args is not None else ()
        self.op_kwargs = op_kwargs if op_kwargs is not None else {}
        self.templates_dict = templates_dict

    def poke(self, context: Any) -> bool | PokeReturnValue:
        context["templates_dict"] = self.templates_dict
        answer = call_with_context(self.python_callable, self.op_args, self.op_kwargs, context)
        return answer if isinstance(answer, PokeReturnValue) else bool(answer)
