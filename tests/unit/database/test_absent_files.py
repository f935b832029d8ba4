"""A file that is not where its task was to run may be on its way there (reliability B7)."""

from __future__ import annotations

REASON = "the DAG file d.py is not on worker-1"


def be_absent(house) -> None:
    [claim] = house.claim()
    house.finish(claim, "absent", reason=REASON, has_entered=False, has_run_callbacks=False)


def wait(house, seconds: float) -> None:
    house.pass_time(seconds=seconds)
    house.store.runs.advance(house.store.runs.due_ids(house.now), house.now)
    house.store.attempts.queue(house.now)


def test_an_absent_file_is_looked_for_again_without_using_the_try(house, task):
    house.add(task("a", retries=0))
    house.run()

    be_absent(house)
    state_meanwhile = house.one("a").state
    wait(house, 5)
    [claim] = house.claim()
    house.finish(claim, "success")

    assert state_meanwhile == "up_for_reschedule"
    assert house.one("a").state == "success"
    assert house.one("a").try_number == 1


def test_a_file_that_stays_away_fails_the_try_and_says_where_it_was_missed(house, task):
    house.add(task("a", retries=0))
    house.run()

    be_absent(house)
    wait(house, 5)
    be_absent(house)

    assert house.one("a").state == "failed"
    assert house.one("a").state_reason == REASON
