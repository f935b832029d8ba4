"""The forecast: plans under a clock that runs ahead."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tradewind.planning.forecast import Outlook, forecast

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def at(minutes: float) -> datetime:
    return NOW + minutes * MINUTE


def starts(runs, dag_id: str) -> list[datetime]:
    return [run.starts_at for run in runs if run.dag_id == dag_id]


def test_a_run_waits_until_the_run_before_it_has_ended() -> None:
    outlook = Outlook("a", [at(1), at(2), at(3)], length=10 * MINUTE, max_active_runs=1)

    runs = forecast([outlook], NOW, at(60))

    assert [(run.due_at, run.starts_at, run.ends_at) for run in runs] == [
        (at(1), at(1), at(11)),
        (at(2), at(11), at(21)),
        (at(3), at(21), at(31)),
    ]


def test_what_runs_now_takes_its_place_until_its_expected_end() -> None:
    outlook = Outlook("a", [at(-5)], length=10 * MINUTE, max_active_runs=1, ends_at=[at(4)])

    assert starts(forecast([outlook], NOW, at(60)), "a") == [at(4)]


def test_an_updated_asset_makes_the_run_that_waits_for_it_and_so_on() -> None:
    def on(name: str) -> dict[str, object]:
        return {"asset": {"name": name, "uri": name}}

    outlooks = [
        Outlook("make", [at(1)], 5 * MINUTE, 1, outlets=[("raw", "raw")]),
        Outlook("clean", [], 2 * MINUTE, 1, asset_expression=on("raw"), outlets=[("c", "c")]),
        Outlook("both", [], MINUTE, 1, asset_expression={"all": [on("raw"), on("c")]}),
        Outlook("never", [], MINUTE, 1, asset_expression={"all": [on("raw"), on("other")]}),
    ]

    runs = forecast(outlooks, NOW, at(60))

    assert [(run.dag_id, run.starts_at, run.is_by_assets) for run in runs] == [
        ("make", at(1), False), ("clean", at(6), True), ("both", at(8), True),
    ]  # fmt: skip


def test_nothing_is_foreseen_beyond_the_time_and_the_number_that_were_asked_for() -> None:
    outlook = Outlook("a", [at(n) for n in range(100)], None, 16)

    assert len(forecast([outlook], NOW, at(10))) == 11
    runs = forecast([outlook], NOW, at(100), runs_max=5)
    assert len(runs) == 5
    assert not runs[0].is_length_known


def test_two_dags_that_update_each_other_come_to_an_end() -> None:
    def on(name: str) -> dict[str, object]:
        return {"asset": {"name": name, "uri": name}}

    ring = [
        Outlook("a", [at(0)], MINUTE, 1, asset_expression=on("y"), outlets=[("x", "x")]),
        Outlook("b", [], MINUTE, 1, asset_expression=on("x"), outlets=[("y", "y")]),
    ]

    runs = forecast(ring, NOW, at(10))

    assert len(runs) == 11
