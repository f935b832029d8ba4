"""Running a Python function in another interpreter (semantics section 7.3).

Its source is copied, its arguments and its result are serialised: globals and imports outside of
the function do not exist there.
"""

from __future__ import annotations

import inspect
import os
import pickle
import subprocess
import tempfile
from abc import abstractmethod
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..sdk.call_arguments import determine_kwargs
from ..sdk.exceptions import (
    AirflowException,
    AirflowSkipException,
    DeserializingResultError,
    InvalidArgumentError,
    InvalidValueError,
)
from ..sdk.function_source import source_of
from .bash import as_codes
from .python import PythonOperator

#: Context keys that are texts, numbers or None: they need nothing in the other interpreter.
PLAIN_KEYS = frozenset(
    [
        "ds",
        "ds_nodash",
        "expanded_ti_count",
        "map_index_template",
        "next_ds",
        "next_ds_nodash",
        "prev_ds",
        "prev_ds_nodash",
        "run_id",
        "task_instance_key_str",
        "test_mode",
        "tomorrow_ds",
        "tomorrow_ds_nodash",
        "try_number",
        "ts",
        "ts_nodash",
        "ts_nodash_with_tz",
        "yesterday_ds",
        "yesterday_ds_nodash",
    ]
)
#: Instants: passed on where the other interpreter has pendulum.
INSTANT_KEYS = frozenset(
    [
        "data_interval_end",
        "data_interval_start",
        "execution_date",
        "logical_date",
        "next_execution_date",
        "prev_data_interval_end_success",
        "prev_data_interval_start_success",
        "prev_execution_date",
        "prev_execution_date_success",
        "prev_start_date_success",
    ]
)

_SCRIPT = """from __future__ import annotations

import {serializer} as _serializer
import sys as _sys

_input, _output, _strings, _error = _sys.argv[1:5]
with open(_input, "rb") as _file:
    _given = _serializer.load(_file)
with open(_strings, encoding="utf-8") as _file:
    virtualenv_string_args = _file.read().splitlines()

{source}

try:
    _result = {name}(*_given["args"], **_given["kwargs"])
    if hasattr(_result, "__await__"):
        import asyncio as _asyncio

        _result = _asyncio.run(_result)
except Exception as _problem:
    with open(_error, "w", encoding="utf-8") as _file:
        _file.write(type(_problem).__name__ + ": " + str(_problem))
    raise
with open(_output, "wb") as _file:
    _serializer.dump(_result, _file)
"""


class ForeignPythonOperator(PythonOperator):
    """Superclass of the operators that call a function in another interpreter.

    Args:
        python_callable: a plain function: neither a lambda nor a generator.
        serializer: ``pickle``, ``dill`` or ``cloudpickle``: for arguments and result.
        string_args: texts that the function finds as ``virtualenv_string_args``.
        skip_on_exit_code: exit code, or several, with which the task ends as skipped.
        env_vars: added to the environment, or all of it where *inherit_env* is False.

    Raises:
        ValueError: the function's source cannot be copied, or the serializer is unknown.
    """

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        serializer: str | None = None,
        use_dill: bool = False,
        string_args: Iterable[str] | None = None,
        expect_airflow: bool = True,
        skip_on_exit_code: int | Container[int] | None = None,
        env_vars: Mapping[str, str] | None = None,
        inherit_env: bool = True,
        **kwargs: Any,
    ) -> None:
        _check_function(python_callable)
        super().__init__(python_callable=python_callable, **kwargs)
        self.serializer = serializer or ("dill" if use_dill else "pickle")
        if self.serializer not in ("pickle", "dill", "cloudpickle"):
            raise InvalidValueError(
                f"{self._name}: the serializer must be pickle, dill or cloudpickle, "
                f"not {self.serializer!r}"
            )
        self.string_args = [str(text) for text in string_args or ()]
        self.expect_airflow = expect_airflow
        self.skip_on_exit_code: Container[int] = as_codes(skip_on_exit_code)
        self.env_vars = env_vars
        self.inherit_env = inherit_env
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def _prepare_python(self, folder: Path) -> Path:
        """Return the interpreter. *folder* is empty, and gone after the task."""

    def execute_callable(self) -> Any:
        """Call the function over there, and return its result."""
        with tempfile.TemporaryDirectory(prefix="tradewind-python-") as name:
            folder = Path(name)
            python = self._prepare_python(folder)
            return self._call(python, folder)

    def _call(self, python: Path, folder: Path) -> Any:
        serializer = self._load_serializer()
        files = [folder / name for name in ("input", "output", "strings", "error")]
        given = {"args": list(self.op_args), "kwargs": self._keyword_arguments(python)}
        files[0].write_bytes(serializer.dumps(given))
        files[2].write_text("\n".join(self.string_args), encoding="utf-8")
        script = folder / "script.py"
        text = _SCRIPT.format(
            serializer=self.serializer,
            source=source_of(self.python_callable),
            name=self.python_callable.__name__,
        )
        script.write_text(text, encoding="utf-8")
        self._judge(self._run([python, script, *files]), files[3])
        if not files[1].exists() or not files[1].stat().st_size:
            return None
        try:
            return serializer.loads(files[1].read_bytes())
        except Exception as error:
            raise DeserializingResultError from error

    def _load_serializer(self) -> Any:
        if self.serializer == "pickle":
            return pickle
        import importlib

        try:
            return importlib.import_module(self.serializer)
        except ImportError as error:
            raise AirflowException(
                f"the serializer {self.serializer} is not installed beside Tradewind"
            ) from error

    def _keyword_arguments(self, python: Path) -> dict[str, Any]:
        """Return the function's own arguments, and what it takes of the context."""
        from ..sdk.context import get_current_context

        context = get_current_context()
        names = {key: context.peek(key) for key in PLAIN_KEYS if key in context}
        names["params"] = dict(context["params"])
        if self.templates_dict is not None:
            names["templates_dict"] = self.templates_dict
        wanted = inspect.signature(self.python_callable).parameters
        takes_all = any(one.kind is one.VAR_KEYWORD for one in wanted.values())
        if (takes_all or INSTANT_KEYS & wanted.keys()) and _has_pendulum(python):
            names.update({key: context.peek(key) for key in INSTANT_KEYS if key in context})
        names.update(self.op_kwargs)
        return determine_kwargs(self.python_callable, self.op_args, names)

    def _environment(self) -> dict[str, str]:
        own = {name: str(value) for name, value in (self.env_vars or {}).items()}
        # What is set for our interpreter would lead the other one to our modules.
        kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
        return {**kept, **own} if self.inherit_env else own

    def _run(self, command: Sequence[Any]) -> int:
        """Run a program, log what it says, and return its exit code."""
        self._process = process = subprocess.Popen(
            [str(part) for part in command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=self._environment(),
        )
        assert process.stdout is not None  # noqa: S101 - it was asked for
        try:
            for raw in process.stdout:
                self.log.info("%s", raw.decode(errors="backslashreplace").rstrip())
            return process.wait()
        finally:
            process.stdout.close()
            self.on_kill()

    def _judge(self, exit_code: int, error_file: Path) -> None:
        if exit_code == 0:
            return
        if exit_code in self.skip_on_exit_code:
            raise AirflowSkipException(f"the function ended with exit code {exit_code}: skip")
        said = error_file.read_text(encoding="utf-8") if error_file.exists() else ""
        raise AirflowException(
            f"the function failed in the other Python (exit code {exit_code}). {said}".rstrip()
        )

    def on_kill(self) -> None:
        """Stop the other interpreter."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


def _check_function(function: Any) -> None:
    if not callable(function):
        raise InvalidArgumentError("python_callable must be a function")
    if not inspect.isfunction(function) or function.__name__ == "<lambda>":
        raise InvalidValueError(
            "python_callable must be a plain function, neither a lambda nor another callable: "
            "its source is copied"
        )
    if inspect.isgeneratorfunction(function):
        raise InvalidValueError("python_callable cannot be a generator in another Python")


def _has_pendulum(python: Path) -> bool:
    probe = [str(python), "-c", "import pendulum"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0
