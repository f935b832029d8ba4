from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

from tradewind.database.values import Advanced, WorkerRow
from tradewind.executors.base import Hint
from tradewind.scheduler.advance_runs import AdvanceRuns
from tradewind.scheduler.hint_executors import HintExecutors
from tradewind.scheduler.lease_judge import LeaseJudge
from tradewind.scheduler.loop import Scheduler
from tradewind.scheduler.quarantine import Quarantine
from tradewind.scheduler.reap_workers import ReapWorkers
from tradewind.scheduler.standby import FileLock
from tradewind.scheduler.step import Tick
from tradewind.sdk.clock import VirtualClock

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NOTHING = Advanced(changed=False)


class RecordedStep:
    def __init__(self, name, act=lambda tick: None) -> None:
        self.name = name
        self.act = act
        self.sweeps = []

    def run(self, tick) -> None:
        self.sweeps.append(tick.is_sweep)
        self.act(tick)


def fail(tick) -> None:
    raise ValueError("poison")


def make_store(next_due_at=None, next_timer_at=None):
    return SimpleNamespace(
        dags=SimpleNamespace(next_due_at=lambda: next_due_at),
        runs=SimpleNamespace(next_timer_at=lambda now: next_timer_at),
    )


def test_a_step_that_fails_rests_and_the_others_go_on():
    clock = VirtualClock(NOW)
    bad, good = RecordedStep("bad", fail), RecordedStep("good")
    scheduler = Scheduler(make_store(), clock, [bad, good])

    for _ in range(5):
        scheduler.tick()
    assert (len(bad.sweeps), len(good.sweeps)) == (1, 5)

    clock.advance(seconds=1)
    scheduler.tick()
    assert len(bad.sweeps) == 2


def test_everything_is_looked_at_once_a_second_and_not_at_each_ring():
    clock = VirtualClock(NOW)
    step = RecordedStep("step")
    scheduler = Scheduler(make_store(), clock, [step])

    for _ in range(4):
        scheduler.tick()
        clock.advance(seconds=0.5)

    assert step.sweeps == [True, False, True, False]


def test_the_loop_sleeps_until_the_next_timer_and_never_past_a_sweep():
    clock = VirtualClock(NOW)
    soon = Scheduler(make_store(next_due_at=NOW + timedelta(seconds=0.25)), clock, [])
    later = Scheduler(make_store(next_timer_at=NOW + timedelta(hours=1)), clock, [])
    soon.tick()
    later.tick()

    assert soon.wait_s() == 0.25
    assert later.wait_s() == 1.0


def test_what_is_overdue_and_cannot_be_done_does_not_make_the_loop_spin():
    clock = VirtualClock(NOW)
    scheduler = Scheduler(make_store(next_due_at=NOW - timedelta(hours=1)), clock, [])
    scheduler.tick()

    assert scheduler.wait_s() == 1.0


def test_the_loop_goes_on_at_once_while_things_change():
    def change(tick) -> None:
        tick.changed = True

    scheduler = Scheduler(make_store(), VirtualClock(NOW), [RecordedStep("step", change)])

    assert scheduler.tick()
    assert scheduler.wait_s() == 0.0


def make_tick(clock, *, is_sweep=True) -> Tick:
    return Tick(clock.now(), is_sweep, Quarantine(clock))


class FakeRuns:
    """Run 3 raises whenever it is advanced."""

    def __init__(self, unfinished, sizes=None) -> None:
        self.unfinished = unfinished
        self.instances = sizes or {}
        self.advanced = []

    def sizes(self, ids):
        return self.instances

    def due_ids(self, now):
        return []

    def unfinished_ids(self):
        return self.unfinished

    def advance(self, ids, now):
        if 3 in ids:
            raise ValueError("a row that makes no sense")
        self.advanced.extend(ids)
        return NOTHING


def test_a_run_of_very_many_task_instances_is_looked_at_in_few_sweeps():
    runs = FakeRuns([1, 2], sizes={1: 10, 2: 5000})
    step = AdvanceRuns(SimpleNamespace(runs=runs))

    for _ in range(20):
        step.run(make_tick(VirtualClock(NOW)))

    assert (runs.advanced.count(1), runs.advanced.count(2)) == (20, 2)


def test_a_poisoned_run_is_found_and_held_back_while_the_others_advance():
    clock = VirtualClock(NOW)
    runs = FakeRuns([1, 2, 3, 4])
    step = AdvanceRuns(SimpleNamespace(runs=runs))
    tick = make_tick(clock)

    step.run(tick)
    assert runs.advanced == [1, 2, 4]
    assert tick.quarantine.is_held("run 3")


def test_sweeps_reach_every_run_in_slices():
    clock = VirtualClock(NOW)
    runs = FakeRuns(list(range(10, 260)))
    step = AdvanceRuns(SimpleNamespace(runs=runs))

    for _ in range(3):
        step.run(make_tick(clock))

    assert sorted(set(runs.advanced)) == runs.unfinished


def test_hints_reach_their_executor_and_an_unknown_one_stops_nothing():
    submitted = []
    store = SimpleNamespace(attempts=SimpleNamespace(overlooked=lambda before: {}))
    executor = SimpleNamespace(submit=submitted.append)
    tick = make_tick(VirtualClock(NOW))
    tick.add_hints({"LocalExecutor": [(1, 2, "default")], "Unknown": [(3, 1, "default")]})

    HintExecutors({"LocalExecutor": executor}, store).run(tick)

    assert submitted == [Hint(1, 2, "default")]
    assert tick.hints == {}


def test_a_judge_waits_for_a_whole_lease_of_unbroken_ticks():
    clock = VirtualClock(NOW)
    judge = LeaseJudge(lease_s=30)
    judged_after_s = None

    for second in range(60):
        judge.tick(clock.now(), clock.monotonic())
        if judge.overdue({"w": NOW}, clock.monotonic()):
            judged_after_s = second
            break
        clock.advance(seconds=1)

    assert judged_after_s == 33


def test_a_judge_that_slept_gives_every_lease_a_full_period_again():
    clock = VirtualClock(NOW)
    judge = LeaseJudge(lease_s=30)
    for _ in range(60):
        judge.tick(clock.now(), clock.monotonic())
        over = judge.overdue({"w": NOW}, clock.monotonic())
        clock.advance(seconds=1)
    assert over == {"w": NOW}

    clock.advance(seconds=300)

    assert judge.tick(clock.now(), clock.monotonic()) is False
    assert judge.overdue({"w": NOW}, clock.monotonic()) == {}


def test_a_lease_that_is_renewed_now_and_then_is_never_over_whatever_the_wall_clock_says():
    clock = VirtualClock(NOW)
    judge = LeaseJudge(lease_s=30)

    for second in range(200):
        judge.tick(clock.now(), clock.monotonic())
        renewed_at = NOW - timedelta(hours=1) + timedelta(seconds=second // 20)
        assert judge.overdue({"w": renewed_at}, clock.monotonic()) == {}
        clock.advance(seconds=1)


def test_a_step_of_the_wall_clock_is_no_evidence_against_a_worker():
    judge = LeaseJudge(lease_s=30)
    judge.tick(NOW, 0.0)

    assert judge.tick(NOW + timedelta(hours=1, seconds=1), 1.0) is False


class FakeWorkers:
    def __init__(self, workers) -> None:
        self.workers = workers
        self.calls = []

    def list(self):
        return self.workers

    def declare_dead(self, worker_id, now, reason):
        self.calls.append(("dead", worker_id))

    def rebase_leases(self, now):
        self.calls.append(("rebase",))

    def expire(self, leases, now):
        self.calls.append(("expire", *leases))
        return []


def make_worker(worker_id) -> WorkerRow:
    return WorkerRow(
        id=worker_id,
        host="here",
        boot_id="b",
        pid=1,
        pid_started_at=1.0,
        executor="LocalExecutor",
        queues=(),
        slots=1,
        state="alive",
        started_at=NOW,
        renewed_at=NOW,
        lease_until_at=NOW,
        stopped_at=None,
        reason="",
    )


def reap_for(seconds, workers, is_gone):
    clock = VirtualClock(NOW)
    step = ReapWorkers(SimpleNamespace(workers=workers), clock, LeaseJudge(30), is_gone)
    for _ in range(seconds):
        step.run(make_tick(clock))
        clock.advance(seconds=1)


def test_a_runner_whose_process_is_gone_is_left_to_its_successor_first():
    workers = FakeWorkers([make_worker("w1"), make_worker("w2")])

    reap_for(10, workers, lambda worker: worker.id == "w1")
    assert ("dead", "w1") not in workers.calls
    reap_for(11, workers, lambda worker: worker.id == "w1")
    assert ("dead", "w1") in workers.calls


def test_leases_are_judged_after_one_unbroken_lease_only():
    workers = FakeWorkers([make_worker("w")])

    reap_for(34, workers, lambda worker: False)
    assert workers.calls == [("rebase",)]
    reap_for(35, workers, lambda worker: False)
    assert workers.calls == [("rebase",), ("rebase",), ("expire", "w")]


def test_a_second_scheduler_waits_for_the_lock_of_the_first(tmp_path):
    first, second = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    assert first.acquire()

    assert not second.acquire()
    assert second.holder() != "?"
    first.release()
    assert second.acquire()
