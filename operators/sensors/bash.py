"""``BashSensor``: waits until a command succeeds (semantics section 6.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...sdk.base_sensor import BaseSensorOperator
from ...sdk.exceptions import AirflowFailException
from ..bash import BashOperator


class BashSensor(BaseSensorOperator):
    """Runs a command until its exit code is 0.

    Args:
        bash_command: the command. A ``.sh`` file's name is one, too: it is run, not rendered.
        env: the whole environment of the command; None: that of the task.
        retry_exit_code: with it, only this exit code means "not yet"; others fail the task.
    """

    template_fields: Sequence[str] = ("bash_command", "env")

    def __init__(
        self,
        *,
        bash_command: Any,
        env: dict[str, str] | None = None,
        output_encoding: str = "utf-8",
        retry_exit_code: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.bash_command = bash_command
        self.env = env
        self.output_encoding = output_encoding
        self.retry_exit_code = retry_exit_code
        self._command: BashOperator | None = None

    def poke(self, context: Any) -> bool:
        self._command = command = BashOperator(
            task_id="command",
            dag=None,
            bash_command=self.bash_command,
            env=self.env,
            output_encoding=self.output_encoding,
        )
        exit_code = command.run_command()
        if exit_code == 0:
            return True
        if self.retry_exit_code is None or exit_code == self.retry_exit_code:
            return False
        raise AirflowFailException(f"the command ended with exit code {exit_code}")

    def on_kill(self) -> None:
        """Stop the command and all that it started."""
        if self._command is not None:
            self._command.on_kill()
