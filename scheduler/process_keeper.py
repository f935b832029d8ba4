"""Keeps a family of processes alive: forks them, restarts those that die, stops them all.

The parent imports what all share and then forks, before it has a thread or a database engine:
that keeps memory low. It does nothing else, so there is nothing in it that could fail.
"""

from __future__ import annotations

import faulthandler
import gc
import logging
import os
import select
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..runtime.supervise.outages import log_failure
from ..runtime.supervise.progress import Progress
from ..runtime.task import process_hygiene
from ..sdk.clock import Clock
from ..sdk.errors import TradewindError
from .stop_signal import StopSignal

log = logging.getLogger(__name__)

#: All are gone within 5 s of Ctrl-C: what does not end by itself until then is killed.
STOP_TIMEOUT_S = 4.0
#: A loop that says nothing for so long hangs; then it has a moment to write down its stacks.
HANG_TIMEOUT_S = 30.0
DUMP_TIME_S = 1.0
#: A process that has not come to its loop after so long hangs in its start.
START_TIMEOUT_S = 120.0
STACKS_SIGNAL = signal.SIGUSR2
#: A process that ends by itself again and again, soon after its start, is started ever more rarely.
RESTART_DELAY_MAX_S = 4.0


@dataclass(frozen=True, slots=True)
class Member:
    """One process of the family. ``run`` returns its exit code.

    ``has_own_session``: it outlives this parent (the runner, with the tasks that it owns).
    ``progress``: where its loop shows that it goes on; one that hangs is started anew.
    ``is_last``: it is told to stop when the others have stopped.
    ``ends_family``: where it ends well by itself, the others are told to stop, too.
    """

    name: str
    run: Callable[[], int]
    has_own_session: bool = False
    is_restarted: bool = True
    progress: Progress | None = None
    is_last: bool = False
    ends_family: bool = False


@dataclass(slots=True)
class _State:
    member: Member
    pid: int | None = None
    started_s: float = 0.0
    restart_s: float = 0.0
    restart_delay_s: float = 0.0
    is_dumping: bool = False


class ProcessKeeper:
    """Forks from the main thread; ``run`` returns when all have ended."""

    def __init__(
        self,
        members: Sequence[Member],
        clock: Clock,
        *,
        restart_delay_s: float = 1.0,
        hang_timeout_s: float = HANG_TIMEOUT_S,
        start_timeout_s: float = START_TIMEOUT_S,
        stop_timeout_s: float = STOP_TIMEOUT_S,
        say: Callable[[str], None] = lambda _text: None,
    ) -> None:
        """Prepare; nothing is started before ``run``.

        Args:
            stop_timeout_s: how long members may take to end before they are killed. Where it is
                longer than usual, a second signal asks them again and shortens it.
            say: shows one line to whoever started us.
        """
        self._states = [_State(member) for member in members]
        self._clock = clock
        self._restart_delay_s = restart_delay_s
        self._hang_timeout_s = hang_timeout_s
        self._start_timeout_s = start_timeout_s
        self._stop_timeout_s = stop_timeout_s
        self._is_over = False
        self._say = say
        self._looked_s = clock.monotonic()

    def run(self) -> int:
        """Keep all running until SIGINT or SIGTERM; a second one kills at once.

        Returns: 0 after a clean stop, 130 after a forced one.
        """
        stop = StopSignal()
        gc.collect()
        gc.freeze()  # a collection in a child would touch, and so copy, every page that is shared
        while not stop.count and not self._is_over:
            self._start_missing()
            select.select([stop.fileno()], [], [], self._wait_s())
            stop.drain()
            self._end_hanging()
            self._reap()
        return self._stop(stop)

    def _start_missing(self) -> None:
        now_s = self._clock.monotonic()
        for state in self._states:
            if state.pid is None and now_s >= state.restart_s:
                state.started_s = now_s
                state.is_dumping = False
                if state.member.progress is not None:
                    state.member.progress.reset()
                state.pid = _fork(state.member)

    def _wait_s(self) -> float:
        now_s = self._clock.monotonic()
        waits = [s.restart_s - now_s for s in self._states if s.pid is None]
        return max(0.0, min([self._hang_timeout_s / 6, *waits]))

    def _end_hanging(self) -> None:
        """Let a loop without progress write down where it hangs, then kill it."""
        now_s = self._clock.monotonic()
        has_slept = now_s - self._looked_s > self._hang_timeout_s / 2
        self._looked_s = now_s
        if has_slept:  # stopped by a signal, or starved: nobody could make progress meanwhile
            for state in self._states:
                progress = state.member.progress
                if progress is not None and progress.has_begun:
                    progress.note(now_s)
                else:
                    state.started_s = now_s
        for state in self._states:
            progress = state.member.progress
            if state.pid is None or progress is None:
                continue
            silent_s = progress.silent_s(now_s)
            if not progress.has_begun:
                since_start_s = now_s - state.started_s
                silent_s = max(0.0, since_start_s - self._start_timeout_s + self._hang_timeout_s)
            if silent_s > self._hang_timeout_s + DUMP_TIME_S:
                os.kill(state.pid, signal.SIGKILL)
            elif silent_s > self._hang_timeout_s and not state.is_dumping:
                state.is_dumping = True
                self._say(f"{state.member.name} made no progress for {silent_s:.0f} s")
                os.kill(state.pid, STACKS_SIGNAL)

    def _reap(self) -> None:
        for state in self._states:
            if state.pid is None:
                continue
            pid, status = os.waitpid(state.pid, os.WNOHANG)
            if pid == 0:
                continue
            state.pid = None
            if state.member.ends_family and status == 0:
                self._is_over = True
                return
            if not state.member.is_restarted:
                state.restart_s = float("inf")
                continue
            state.restart_delay_s = self._delay_s(state, status)
            state.restart_s = self._clock.monotonic() + state.restart_delay_s
            self._say(f"{state.member.name} {_how_it_ended(status)}; it is started again")

    def _delay_s(self, state: _State, status: int) -> float:
        """Return how long to wait before another start, for the log's sake."""
        lived_s = self._clock.monotonic() - state.started_s
        if lived_s > 10 * self._restart_delay_s:
            return 0.0
        if os.WIFSIGNALED(status):  # somebody killed it: it would have gone on
            return self._restart_delay_s
        longer_s = min(2 * state.restart_delay_s, RESTART_DELAY_MAX_S)
        return max(self._restart_delay_s, longer_s)

    def _stop(self, stop: StopSignal) -> int:
        for is_last in (False, True):
            self._stop_some([one for one in self._states if one.member.is_last is is_last], stop)
        is_forced = any(state.pid for state in self._states)
        if is_forced:
            names = ", ".join(state.member.name for state in self._states if state.pid)
            self._say(f"killing what has not ended: {names}")
            self._signal(self._states, signal.SIGKILL)
            for state in self._states:
                if state.pid is not None:
                    os.waitpid(state.pid, 0)
        return 130 if is_forced and stop.count > 1 else 0

    def _stop_some(self, states: Sequence[_State], stop: StopSignal) -> None:
        """Tell members to stop, and wait until they have or their time is over."""
        self._signal(states, signal.SIGTERM)
        heard = max(stop.count, 1)
        is_patient = self._stop_timeout_s > STOP_TIMEOUT_S
        deadline_s = self._clock.monotonic() + self._stop_timeout_s
        while any(state.pid for state in states):
            wait_s = deadline_s - self._clock.monotonic()
            if wait_s <= 0 or (stop.count > 1 and not is_patient) or stop.count > 2:
                break
            if stop.count > heard:
                heard = stop.count
                self._signal(states, signal.SIGTERM)
                deadline_s = min(deadline_s, self._clock.monotonic() + STOP_TIMEOUT_S)
            select.select([stop.fileno()], [], [], min(wait_s, 0.2))
            stop.drain()
            self._forget_ended()

    def _forget_ended(self) -> None:
        for state in self._states:
            if state.pid is not None and os.waitpid(state.pid, os.WNOHANG)[0]:
                state.pid = None

    def _signal(self, states: Sequence[_State], number: int) -> None:
        for state in states:
            if state.pid is not None:
                os.kill(state.pid, number)


def _fork(member: Member) -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        process_hygiene.reset_signals()
        if member.has_own_session:
            os.setsid()
        else:
            process_hygiene.die_with_parent(parent)
            # Ctrl-C reaches every process of the terminal; the parent tells each when to stop.
            os.setpgid(0, 0)
        faulthandler.register(STACKS_SIGNAL, all_threads=True)
        process_hygiene.set_process_name(f"tradewind-{member.name}")
        code = member.run()
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except TradewindError as error:  # its text says what is to be done
        log.error("%s cannot go on: %s", member.name, error)
    except BaseException:  # noqa: BLE001 - log_failure tells
        log_failure(log, "%s failed", member.name)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _how_it_ended(status: int) -> str:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return f"was ended by signal {number} ({signal.Signals(number).name})"
    return f"ended with exit code {os.WEXITSTATUS(status)}"
