"""A commit whose answer was lost: done or not, nothing is done twice and nothing is lost (E7)."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest
from sqlalchemy import event
from sqlalchemy.engine import make_url
from tcp_forwarder import TcpForwarder
from tradewind.database.errors import DatabaseAway
from tradewind.database.store import Store
from tradewind.database.values import AttemptResult

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def line(settings):
    url = make_url(settings.url)
    made = TcpForwarder(url.host or "127.0.0.1", url.port or 5432)
    yield made
    made.close()


@pytest.fixture
def far(settings, line):
    """The same store, over a line that can be cut."""
    url = make_url(settings.url).set(host="127.0.0.1", port=line.port)
    store = Store(replace(settings, url=url.render_as_string(hide_password=False)))
    yield store
    store.close()


def finish_over_a_line_that_breaks_at_the_commit(far, line, break_line, has_passed, *arguments):
    """Return the errors that the runner sees. *has_passed*: what had to arrive, has arrived."""
    is_broken = threading.Event()

    def on_commit(_connection) -> None:
        break_line()
        time.sleep(0.1)  # the forwarder's thread hears of it
        is_broken.set()

    event.listen(far.database.engine, "commit", on_commit)
    errors: list[DatabaseAway] = []

    def finish() -> None:
        try:
            far.attempts.finish(*arguments)
        except DatabaseAway as error:
            errors.append(error)

    thread = threading.Thread(target=finish)
    thread.start()
    assert is_broken.wait(30)
    deadline = time.monotonic() + 30
    while not has_passed() and time.monotonic() < deadline:
        time.sleep(0.02)
    line.heal()
    thread.join(timeout=30)
    assert not thread.is_alive()
    return errors


@pytest.mark.parametrize("has_arrived", [True, False])
def test_a_result_sent_again_is_applied_once_and_lost_claims_are_found(
    house, task, far, line, has_arrived
):
    house.add(task("a"), task("b", "a"))
    house.run()
    [claim] = house.claim()
    result = AttemptResult(
        claim.task_instance_id, claim.epoch, claim.claim_id, "success", ended_at=house.now
    )

    errors = finish_over_a_line_that_breaks_at_the_commit(
        far,
        line,
        line.lose_answers if has_arrived else line.cut,
        lambda: not has_arrived or house.one("a").state == "success",
        *([result], house.now, house.request(1)),
    )
    assert len(errors) == 1
    assert house.one("a").state == ("success" if has_arrived else "running")
    unknown = [
        (row.task_instance_id, row.epoch, row.claim_id)
        for row in house.store.attempts.live("worker-1")
        if row.task_instance_id != claim.task_instance_id
    ]
    assert len(unknown) == int(has_arrived)  # "b", which the runner was given and never heard of
    house.store.attempts.give_back(unknown, house.now, "claimed while the database went away")
    again = house.store.attempts.finish([result], house.now, house.request(1))
    claims = again.claims or house.claim(1)

    assert house.states() == {"a": "success", "b": "running"}
    assert house.one("b").try_number == 1
    house.finish(claims[0])
    assert house.run_state() == "success"
