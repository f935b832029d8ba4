"""The Local executor: a runner process on this machine, shared by all schedulers of a home.

The runner claims by itself when the store rings its bell, so submitting is only one more ring.
It survives the scheduler that started it; the next one finds it again by its slot's lock.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection
from pathlib import Path

from ..database.bell import Bell
from ..runtime.supervise.runner_slot import RunnerSlot
from ..sdk.configuration import conf, home
from .base import AttemptKey, Executor, Hint
from .shared_use import SharedUse

log = logging.getLogger(__name__)

#: How long a started runner may take until it holds its slot.
START_TIMEOUT_S = 30.0
_POLL_S = 0.02


class LocalExecutor(Executor):
    """Runs task instances on this machine."""

    def __init__(self, home_folder: Path | None = None) -> None:
        """Args: home_folder: whose runner this is; None: the configured home."""
        self._home = home_folder or home()
        self._slot = RunnerSlot(self._home)
        self._bell = Bell(self._home)
        self._process: subprocess.Popen[bytes] | None = None
        self._use = SharedUse(self._slot.users_path)

    def start(self) -> None:
        """See ``Executor.start``: make sure that a runner is alive."""
        self._use.begin()
        self._reap()
        if self._slot.holder() is not None:
            return
        if self._process is None:
            self._process = self._launch()
        deadline = time.monotonic() + START_TIMEOUT_S
        while self._slot.holder() is None:
            self._reap()
            if self._process is None or time.monotonic() > deadline:
                log.error("the runner did not start", extra={"log": str(self._log_path)})
                return
            time.sleep(_POLL_S)

    def submit(self, hint: Hint) -> None:
        """See ``Executor.submit``. A runner that has died meanwhile is started again."""
        if self._slot.holder() is None:
            self._reap()
            if self._process is None:  # else it is starting
                self._process = self._launch()
        self._bell.ring("runner")

    def cancel(self, keys: Collection[AttemptKey]) -> None:
        """See ``Executor.cancel``: the runner looks which of its attempts have been fenced."""
        if keys:
            self._bell.ring("runner")

    def slots(self) -> int | None:
        """See ``Executor.slots``. Only the runner knows, and it takes no more than it has."""
        return None

    def stop(self, grace_s: float) -> None:
        """See ``Executor.stop``. The runner stays while another scheduler of the home uses it."""
        pid = self._slot.holder()
        if self._use.end() and pid is not None:
            _signal(pid, signal.SIGTERM)
            # The runner gives its tasks their grace in any case, then writes their results.
            shutdown_grace_s = conf.getfloat("execution", "shutdown_grace_s")
            deadline = time.monotonic() + max(grace_s, shutdown_grace_s) + 1.5
            while self._slot.holder() == pid and time.monotonic() < deadline:
                time.sleep(_POLL_S)
            if self._slot.holder() == pid:
                _signal(pid, signal.SIGKILL)
        self._reap()
        self._bell.close()

    @property
    def runner_pid(self) -> int | None:
        """The pid of the living runner, None if there is none."""
        return self._slot.holder()

    @property
    def _log_path(self) -> Path:
        return Path(conf.get("logging", "base_log_folder")) / "runner.log"

    def _launch(self) -> subprocess.Popen[bytes]:
        self._log_path.parent.mkdir(parents=True, exist_ok=True)
        with self._log_path.open("ab") as output:
            # A session of its own: the terminal's Ctrl-C is the scheduler's to pass on.
            return subprocess.Popen(
                [sys.executable, "-P", "-m", "tradewind.runtime.supervise.runner_main"],
                env={**os.environ, "TRADEWIND_HOME": str(self._home)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def _reap(self) -> None:
        if self._process is not None and self._process.poll() is not None:
            self._process = None


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
