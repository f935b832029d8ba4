"""What the runner claims, when it kills, and what it writes, in virtual time."""

from __future__ import annotations

import signal
from types import SimpleNamespace

from tradewind.database.values import FencedAttempt
from tradewind.runtime.supervise.processes import TaskExecuting


def turns(world, count=3):
    for _ in range(count):
        world.runner.turn()


def test_a_rung_runner_claims_no_more_than_its_free_slots(world, claim):
    world.queue(claim(1), claim(2), claim(3))

    assert [order.key for order in world.processes.started] == ["1-1", "2-1"]


def test_a_finished_task_and_the_next_claim_share_one_commit(world, claim):
    world.queue(claim(1), claim(2), claim(3))
    commits = world.attempts.commits

    world.processes.enter("1-1")
    world.processes.end("1-1")
    world.runner.turn()

    assert world.results() == [(1, "success", "")]
    assert world.processes.started[-1].key == "3-1"
    assert world.attempts.commits == commits + 1


def test_results_that_arrive_together_are_committed_together(world, claim):
    world.queue(claim(1), claim(2))
    commits = world.attempts.commits

    world.processes.end("1-1")
    world.processes.end("2-1")
    world.runner.turn()

    assert len(world.results()) == 2
    assert world.attempts.commits == commits + 1


def test_a_success_without_exit_code_0_is_a_failure(world, claim):
    world.queue(claim(1))

    world.processes.enter("1-1")
    world.processes.end("1-1", "success", exit_code=3)
    world.runner.turn()

    assert world.results() == [(1, "failed", "exit code 3")]


def test_an_exit_without_a_result_is_a_failure_even_with_code_0(world, claim):
    world.queue(claim(1))

    world.processes.enter("1-1")
    world.processes.end("1-1", None)
    world.runner.turn()

    assert world.results() == [(1, "failed", "the process ended without a result (exit code 0)")]


def test_a_killing_signal_is_named(world, claim):
    world.queue(claim(1))

    world.processes.enter("1-1")
    world.processes.end("1-1", None, signal=11)
    world.runner.turn()

    assert world.results() == [(1, "failed", "signal 11 (SIGSEGV)")]


def test_a_kernel_kill_for_memory_is_named(world, claim):
    world.queue(claim(1))

    world.processes.enter("1-1")
    world.processes.end("1-1", None, signal=9, is_out_of_memory=True)
    world.runner.turn()

    assert world.results()[0][2].startswith("out of memory")


def test_a_task_over_its_execution_timeout_gets_sigterm_then_sigkill(world, claim):
    world.queue(claim(1, execution_timeout_s=60.0))
    world.processes.enter("1-1")
    world.runner.turn()
    world.processes.events.append(TaskExecuting("1-1"))
    world.runner.turn()
    entered_at = world.clock.now()

    while not world.processes.signals:
        world.runner.turn()
    assert world.processes.signals == [("1-1", signal.SIGTERM)]
    assert 60 <= (world.clock.now() - entered_at).total_seconds() <= 62

    while len(world.processes.signals) < 2:
        world.runner.turn()
    assert world.processes.signals[1] == ("1-1", signal.SIGKILL)
    assert 70 <= (world.clock.now() - entered_at).total_seconds() <= 72.5

    world.processes.end("1-1", None, signal=9)
    world.runner.turn()
    assert world.results() == [(1, "failed", "execution_timeout of 60 s is over")]


def test_a_task_without_a_timeout_is_never_stopped(world, claim):
    world.queue(claim(1))
    world.processes.enter("1-1")
    turns(world, 500)

    assert world.processes.signals == []


def test_a_task_whose_code_never_begins_is_stopped(world, claim):
    world.queue(claim(1))
    while not world.processes.signals:
        world.runner.turn()

    world.processes.end("1-1", None, exit_code=None)
    world.runner.turn()

    assert world.results() == [(1, "failed", "its code did not begin within 150 s")]


def test_a_cleared_task_is_stopped_and_its_log_says_why(world, claim):
    world.queue(claim(1))
    world.processes.enter("1-1")
    world.runner.turn()

    world.attempts.fenced = [FencedAttempt(1, 1, "claim-1-1", "cleared by user:ann")]
    world.processes.ring()
    world.runner.turn()

    assert world.processes.signals == [("1-1", signal.SIGTERM)]
    assert world.processes.logs["1-1"] == ["Stopping the task: cleared by user:ann"]


def test_a_fence_of_another_claim_stops_nothing(world, claim):
    world.queue(claim(1))
    world.processes.enter("1-1")
    world.runner.turn()

    world.attempts.fenced = [FencedAttempt(1, 1, "an older claim", "cleared by user:ann")]
    world.processes.ring()
    world.runner.turn()

    assert world.processes.signals == []


def test_a_claim_for_which_the_system_has_no_process_is_given_back(world, claim):
    world.queue(claim(1))

    world.processes.end("1-1", None, exit_code=None, error="no room", is_out_of_resources=True)
    world.runner.turn()

    assert world.attempts.given_back == [(1, 1, "claim-1-1")]
    assert world.results() == []


def test_a_host_that_dies_before_user_code_costs_no_try(world, claim):
    world.queue(claim(1))

    world.processes.end("1-1", None, exit_code=None, error="its task host died", is_host_lost=True)
    world.runner.turn()

    (result,) = world.attempts.finished
    assert (result.outcome, result.has_entered) == ("lost", False)


def test_a_host_that_dies_under_running_user_code_costs_the_try(world, claim):
    world.queue(claim(1))
    world.processes.enter("1-1")
    world.processes.end("1-1", None, exit_code=None, error="its task host died", is_host_lost=True)
    world.runner.turn()

    (result,) = world.attempts.finished
    assert (result.outcome, result.has_entered) == ("failed", True)


def test_results_wait_on_disk_while_the_database_is_away(world, claim):
    world.queue(claim(1), claim(2))
    world.processes.enter("2-1")
    world.attempts.is_away = True

    world.processes.end("1-1")
    turns(world, 5)
    assert world.results() == []
    assert len(list((world.folder / "spool").iterdir())) == 1
    assert world.processes.signals == []  # the other task runs on

    world.attempts.is_away = False
    turns(world, 5)
    assert world.results() == [(1, "success", "")]
    assert list((world.folder / "spool").iterdir()) == []


def test_a_new_incarnation_hands_in_what_the_old_one_spooled(world, claim):
    world.queue(claim(1))
    world.attempts.is_away = True
    world.processes.end("1-1")
    turns(world)

    world.attempts.is_away = False
    world.runner = world.new_runner()
    turns(world)

    assert world.results() == [(1, "success", "")]


def test_claims_of_a_commit_whose_answer_was_lost_are_given_back(world, claim):
    world.attempts.is_answer_lost = True
    world.queue(claim(1))

    turns(world, 5)

    assert world.processes.started == []
    assert world.attempts.given_back == [(1, 1, "claim-1-1")]


def test_a_result_that_cannot_be_stored_fails_its_task_and_no_other(world, claim):
    world.queue(claim(1), claim(2))
    world.attempts.refused = {1}

    world.processes.end("1-1")
    world.processes.end("2-1")
    turns(world)

    outcomes = {id_: (outcome, reason) for id_, outcome, reason in world.results()}
    assert outcomes[2] == ("success", "")
    assert outcomes[1][0] == "failed"
    assert "no database takes" in outcomes[1][1]


def test_a_dead_predecessor_is_buried_before_the_first_claim(world):
    world.workers.registered.append("worker-0")
    world.dead.add("worker-0")

    world.runner.turn()

    assert world.workers.declared_dead == ["worker-0"]


def test_logs_that_a_dead_predecessor_left_open_end_with_a_verdict(world):
    left = {"claim_id": "c", "try_number": 1, "state": "claimed"}
    world.attempts.held = [
        SimpleNamespace(task_instance_id=1, epoch=1, log_path="begun.log", **left),
        SimpleNamespace(task_instance_id=2, epoch=1, log_path="not_begun.log", **left),
    ]
    world.journal.keys = {"1-1"}
    world.workers.registered.append("worker-0")
    world.dead.add("worker-0")

    world.runner.turn()

    [lost], [given_back] = world.processes.logs["begun.log"], world.processes.logs["not_begun.log"]
    assert lost.startswith("Task ended: lost")
    assert given_back.startswith("Given back: its runner died")
    assert world.attempts.given_back == [(2, 1, "c")]


def test_the_lease_is_renewed_every_heartbeat(world):
    turns(world, 200)
    passed_s = (world.clock.now() - world.clock.now().replace(hour=0, minute=0, second=0)).seconds

    assert passed_s > 60
    assert abs(world.workers.renewals - passed_s // 5) <= 1


def test_a_runner_that_lost_its_lease_kills_its_tasks_and_starts_anew(world, claim):
    world.queue(claim(1))
    world.processes.enter("1-1")
    world.workers.is_fenced = True
    while not world.processes.signals:
        world.runner.turn()

    world.processes.end("1-1", None, signal=15)
    world.workers.is_fenced = False
    turns(world)

    assert world.workers.registered == ["worker-1", "worker-2"]
    assert world.results() == [(1, "failed", "the lease of its runner was lost")]


def test_a_stopping_runner_takes_no_work_and_lets_tasks_end_in_the_grace(world, claim):
    world.queue(claim(1))
    world.processes.enter("1-1")
    world.runner.turn()

    world.runner.request_stop()
    world.queue(claim(2))
    assert world.processes.signals == []

    world.processes.end("1-1")
    world.runner.turn()
    assert world.results() == [(1, "success", "")]
    assert world.runner.is_done
    assert len(world.processes.started) == 1


def test_a_task_that_outlasts_the_shutdown_grace_is_stopped_and_has_used_its_try(world, claim):
    world.queue(claim(1))
    world.processes.enter("1-1")
    world.runner.turn()

    world.runner.request_stop()
    while not world.processes.signals:
        world.runner.turn()
    world.processes.end("1-1", "failed")
    world.runner.turn()

    (result,) = world.attempts.finished
    assert (result.outcome, result.has_entered) == ("failed", True)
    assert result.reason == "stopped: its runner was shut down"
    assert world.runner.is_done


def test_closing_gives_up_the_lease(world):
    world.runner.turn()

    world.runner.close()

    assert world.workers.stopped == ["worker-1"]
    assert world.processes.is_stopped
