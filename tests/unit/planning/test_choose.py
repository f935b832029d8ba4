from datetime import UTC, datetime

from tradewind.planning.choose import Candidate, Limits, PoolSlots, choose

DAY = datetime(2026, 1, 1, tzinfo=UTC)
POOLS = {"default_pool": PoolSlots(128)}


def one(number: int, **fields) -> Candidate:
    values = {"dag_id": "d", "dag_run_id": 1, "task_id": f"t{number}", "logical_date": DAY}
    return Candidate(number, **(values | fields))


def chosen_ids(candidates, limits) -> list[int]:
    return [candidate.task_instance_id for candidate in choose(candidates, limits)[0]]


def reasons(candidates, limits) -> dict[int, str]:
    return {
        blocked.candidate.task_instance_id: blocked.limit
        for blocked in choose(candidates, limits)[1]
    }


def test_the_heaviest_goes_first_then_the_oldest_then_the_lowest_index():
    candidates = [
        one(1, map_index=1),
        one(2, map_index=0),
        one(3, logical_date=DAY.replace(year=2025)),
        one(4, priority_weight=5),
    ]

    assert chosen_ids(candidates, Limits(POOLS)) == [4, 3, 2, 1]


def test_a_wide_task_that_does_not_fit_lets_a_narrow_one_pass():
    """Checkable example 5.7."""
    candidates = [one(1, pool_slots=2), one(2, pool_slots=2), one(3)]
    limits = Limits({"default_pool": PoolSlots(3)})

    assert chosen_ids(candidates, limits) == [1, 3]
    assert choose(candidates, limits)[1][0].reason == (
        "pool 'default_pool' has 1 of 3 slots free, it needs 2"
    )


def test_a_full_pool_does_not_hold_the_tasks_of_another():
    pools = {"full": PoolSlots(1, used=1), "free": PoolSlots(1)}

    assert chosen_ids([one(1, pool="full"), one(2, pool="free")], Limits(pools)) == [2]


def test_a_pool_with_minus_one_slots_has_no_limit():
    limits = Limits({"default_pool": PoolSlots(-1, used=1000)})

    assert chosen_ids([one(1, pool_slots=50)], limits) == [1]


def test_an_unknown_pool_is_said_to_be_missing():
    _, (blocked,) = choose([one(1, pool="gone")], Limits(POOLS))

    assert blocked.reason.startswith("there is no pool 'gone'")


def test_a_task_wider_than_its_pool_never_runs_and_says_so():
    _, (blocked,) = choose([one(1, pool_slots=4)], Limits({"default_pool": PoolSlots(3)}))

    assert blocked.reason == "it needs 4 slots of pool 'default_pool', which has 3"


def test_max_active_tasks_counts_per_run():
    candidates = [
        one(1, max_active_tasks=2),
        one(2, max_active_tasks=2),
        one(3, max_active_tasks=2, dag_run_id=2),
    ]
    limits = Limits(POOLS, used_by_dag={"d": 1}, used_by_run={1: 1})

    assert chosen_ids(candidates, limits) == [1, 3]
    assert reasons(candidates, limits) == {2: "max_active_tasks"}


def test_max_active_tasks_counts_over_the_dag_where_its_scope_says_so():
    fields = {"max_active_tasks": 2, "max_active_tasks_scope": "dag"}
    candidates = [one(1, **fields), one(2, dag_run_id=2, **fields)]

    assert chosen_ids(candidates, Limits(POOLS, used_by_dag={"d": 1})) == [1]


def test_instances_of_one_task_are_limited_over_runs_and_in_a_run():
    over_runs = [one(n, task_id="t", dag_run_id=n, max_active_tis_per_dag=2) for n in (1, 2, 3)]
    in_run = [one(n, task_id="t", map_index=n, max_active_tis_per_dagrun=1) for n in (1, 2)]

    assert reasons(over_runs, Limits(POOLS)) == {3: "max_active_tis_per_dag"}
    assert reasons(in_run, Limits(POOLS)) == {2: "max_active_tis_per_dagrun"}
    taken = Limits(POOLS, used_by_task={("d", "t"): 2}, used_by_task_in_run={(1, "t"): 1})
    assert chosen_ids([over_runs[0]], taken) == []
    assert chosen_ids([in_run[0]], taken) == []


def test_parallelism_limits_all():
    candidates = [one(n) for n in range(5)]

    assert chosen_ids(candidates, Limits(POOLS, parallelism=4, used=2)) == [0, 1]
