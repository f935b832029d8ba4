"""``ExternalPythonOperator``: a function runs in an interpreter that exists (section 7.3)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..sdk.exceptions import InvalidValueError
from .foreign_python import ForeignPythonOperator
from .skip_mixin import BranchMixIn


class ExternalPythonOperator(ForeignPythonOperator):
    """Calls a function in the interpreter at *python*, an absolute path.

    Raises:
        ValueError: no path is given, or (when the task runs) there is no interpreter.
    """

    template_fields: Sequence[str] = ("python", *ForeignPythonOperator.template_fields)

    def __init__(self, *, python: str, expect_pendulum: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not python:
            raise InvalidValueError(f"{self._name} needs python, the path of an interpreter")
        self.python = python
        self.expect_pendulum = expect_pendulum

    def _prepare_python(self, folder: Path) -> Path:
        path = Path(self.python)
        if not path.is_absolute() or not path.is_file():
            raise InvalidValueError(
                f"python must be the absolute path of an interpreter; {self.python!r} is not"
            )
        return path


class BranchExternalPythonOperator(ExternalPythonOperator, BranchMixIn):
    """The same, and the function's result says which tasks to follow."""

    def execute(self, context: Any) -> Any:
        return self.do_branch(context, super().execute(context))
