"""``BashOperator``: run a command with bash (semantics section 7.1)."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Collection, Container, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from ..sdk.base_operator import BaseOperator
from ..sdk.exceptions import AirflowException, AirflowSkipException

#: Marks everything that belongs to one try, so that nothing is left behind when it is stopped;
#: it is handed on even where the command gets an environment of its own.
_KEPT_VARIABLES = ("TRADEWIND_ATTEMPT",)
_CONTEXT_PREFIX = "AIRFLOW_CTX_"


class BashOperator(BaseOperator):
    """Runs a command; its last line of output (stderr included) becomes the XCom.

    Args:
        bash_command: the command, or the name of a ``.sh`` or ``.bash`` file, which is rendered.
        env: the whole environment of the command; None: that of the task.
        append_env: *env* is added to the task's environment.
        skip_on_exit_code: exit code, or several, with which the task ends as skipped.
        cwd: the folder to run in; None: an empty temporary one.
        output_processor: makes the XCom out of the last line.
    """

    template_fields: Sequence[str] = ("bash_command", "env", "cwd")
    template_fields_renderers: ClassVar[dict[str, str]] = {"bash_command": "bash", "env": "json"}
    template_ext: Sequence[str] = (".sh", ".bash")
    ui_color = "#f0ede4"

    def __init__(
        self,
        *,
        bash_command: Any,
        env: dict[str, str] | None = None,
        append_env: bool = False,
        output_encoding: str = "utf-8",
        skip_on_exit_code: int | Container[int] | None = 99,
        skip_exit_code: int | None = None,
        cwd: str | None = None,
        output_processor: Callable[[str], Any] = lambda line: line,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.bash_command = bash_command
        self.env = env
        self.append_env = append_env
        self.output_encoding = output_encoding
        chosen = skip_on_exit_code if skip_exit_code is None else skip_exit_code
        self.skip_on_exit_code: Container[int] = as_codes(chosen)
        self.cwd = cwd
        self.output_processor = output_processor
        self._process: subprocess.Popen[bytes] | None = None

    def execute(self, context: Any) -> Any:
        with self._folder() as folder:
            exit_code, last_line = self._run(folder)
        if exit_code in self.skip_on_exit_code:
            raise AirflowSkipException(
                f"the command ended with exit code {exit_code}, which means: skip"
            )
        if exit_code != 0:
            raise AirflowException(
                f"Bash command failed. The command returned a non-zero exit code {exit_code}."
            )
        return self.output_processor(last_line)

    def run_command(self) -> int:
        """Run the command once, and return its exit code. For a sensor that asks again."""
        with self._folder() as folder:
            return self._run(folder)[0]

    @contextlib.contextmanager
    def _folder(self) -> Iterator[str]:
        if self.cwd is None:
            with tempfile.TemporaryDirectory(prefix="tradewind-bash-") as folder:
                yield folder
            return
        if not Path(self.cwd).exists():
            raise AirflowException(f"the folder to run in does not exist: {self.cwd}")
        if not Path(self.cwd).is_dir():
            raise AirflowException(f"the folder to run in is no folder: {self.cwd}")
        yield str(self.cwd)

    def get_env(self, context: Any = None) -> dict[str, str]:
        """Return the environment of the command."""
        if self.env is None:
            return dict(os.environ)
        given = {name: str(value) for name, value in self.env.items()}
        if self.append_env:
            return {**os.environ, **given}
        kept = {
            name: value
            for name, value in os.environ.items()
            if name.startswith(_CONTEXT_PREFIX) or name in _KEPT_VARIABLES
        }
        return {**kept, **given}

    def _run(self, folder: str) -> tuple[int, str]:
        """Run the command to its end; return exit code and last line."""
        self.log.info("Running command: %s", self.bash_command)
        self._process = process = subprocess.Popen(
            ["bash", "-c", self.bash_command],  # noqa: S607 - bash is found as users' shells are
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            cwd=folder,
            env=self.get_env(),
            start_new_session=True,
        )
        last_line = ""
        assert process.stdout is not None  # noqa: S101 - it was asked for
        try:
            self.log.info("Output:")
            for raw in process.stdout:
                last_line = raw.decode(self.output_encoding, errors="backslashreplace").rstrip()
                self.log.info("%s", last_line)
            exit_code = process.wait()
        finally:
            process.stdout.close()
            if process.poll() is None:  # a time limit or a signal came between
                self.on_kill()
        self.log.info("Command exited with return code %s", exit_code)
        return exit_code, last_line

    def on_kill(self) -> None:
        """Stop the command and all that it started."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        self.log.info("Sending SIGTERM to the process group of the command")
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)


def as_codes(codes: int | Container[int] | None) -> Container[int]:
    """Return exit codes given as one, several or None as a container."""
    if codes is None:
        return ()
    if isinstance(codes, int):
        return (codes,)
    return codes if isinstance(codes, Collection) else frozenset(codes)  # type: ignore[call-overload]
