from __future__ import annotations

import pytest
from tradewind.sdk.errors import ConfigurationError
from tradewind.sdk.executor_names import canonical_executor, read_executor_names


@pytest.mark.parametrize(
    ("named", "known"),
    [
        ("LocalExecutor", "LocalExecutor"),
        (" SequentialExecutor ", "LocalExecutor"),
        ("airflow.executors.local_executor.LocalExecutor", "LocalExecutor"),
        ("here:airflow.executors.local_executor.LocalExecutor", "LocalExecutor"),
        ("CeleryExecutor", "CeleryExecutor"),
        ("airflow.providers.celery.executors.celery_executor.CeleryExecutor", "CeleryExecutor"),
        ("mine.LocalExecutor", "mine.LocalExecutor"),
    ],
)
def test_an_executor_has_one_name_however_it_is_written(named, known):
    assert canonical_executor(named) == known


NAMES = read_executor_names(["LocalExecutor", "quick:CeleryExecutor", "big:mine.of.Cluster"])


@pytest.mark.parametrize(
    ("named", "meant"),
    [
        ("", "LocalExecutor"),
        ("LocalExecutor", "LocalExecutor"),
        ("quick", "CeleryExecutor"),
        ("CeleryExecutor", "CeleryExecutor"),
        ("big", "mine.of.Cluster"),
        ("mine.of.Cluster", "mine.of.Cluster"),
        ("Cluster", "mine.of.Cluster"),
        ("KubernetesExecutor", None),
    ],
)
def test_a_task_may_name_an_executor_by_its_name_alias_class_or_path(named, meant):
    assert NAMES.resolve(named) == meant


def test_only_the_default_takes_what_names_no_executor():
    assert "" in NAMES.names_of("LocalExecutor")
    assert "" not in NAMES.names_of("CeleryExecutor")


@pytest.mark.parametrize(
    "entries",
    [
        [],
        ["KubernetesExecutor"],
        ["LocalExecutor", "SequentialExecutor"],
        ["a:b:c"],
        ["alias:"],
        ["airflow.providers.cncf.kubernetes.executors.kubernetes_executor.KubernetesExecutor"],
    ],
)
def test_what_cannot_be_an_executor_is_refused_in_one_line(entries):
    with pytest.raises(ConfigurationError, match=r"^\[core\] executor[^\n]*$"):
        read_executor_names(entries)
