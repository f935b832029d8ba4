"""``SubprocessHook``: run a command and read its output, for users' own operators."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from typing import NamedTuple

from .base_hook import BaseHook


class SubprocessResult(NamedTuple):
    """How a command ended, and the last line of what it wrote."""

    exit_code: int
    output: str


class SubprocessHook(BaseHook):
    """Runs one command at a time, in a process group of its own."""

    def __init__(self, **kwargs: object) -> None:
        """Take *kwargs* for the sake of subclasses."""
        super().__init__()
        self.sub_process: subprocess.Popen[bytes] | None = None

    def run_command(
        self,
        command: list[str],
        env: dict[str, str] | None = None,
        output_encoding: str = "utf-8",
        cwd: str | None = None,
    ) -> SubprocessResult:
        """Run *command* to its end; every line that it writes goes to the log.

        Args:
            env: the whole environment; None: that of this process.
            cwd: the folder to run in; None: an empty temporary one.

        Raises:
            OSError: it cannot be started.
        """
        with contextlib.ExitStack() as stack:
            if cwd is None:
                cwd = stack.enter_context(tempfile.TemporaryDirectory(prefix="tradewind-"))
            self.log.info("Running command: %s", command)
            self.sub_process = process = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=cwd,
                env=env if env or env == {} else None,
                start_new_session=True,
            )
            stack.callback(self.send_sigterm)
            line = ""
            assert process.stdout is not None  # noqa: S101 - it was asked for
            with process.stdout:
                for raw in process.stdout:
                    line = raw.decode(output_encoding, errors="backslashreplace").rstrip()
                    self.log.info("%s", line)
            exit_code = process.wait()
        self.log.info("Command exited with return code %s", exit_code)
        return SubprocessResult(exit_code, line)

    def send_sigterm(self) -> None:
        """Stop the command and all that it started, if it still runs."""
        if self.sub_process is not None and self.sub_process.poll() is None:
            self.log.info("Sending SIGTERM signal to process group")
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.sub_process.pid, signal.SIGTERM)
