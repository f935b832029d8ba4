"""Checkable examples 8: XCom and secrets. The rows of 8.1 stand in unit/task/test_xcom_pull.py,
those of 8.5 in unit/values/test_connection.py.
"""

from __future__ import annotations

import dataclasses

import pytest
from tradewind.operators.python import PythonOperator
from tradewind.sdk import secrets_masker
from tradewind.sdk.xcom_serialization import deserialize, serialize


@pytest.fixture(autouse=True)
def forget():
    yield
    secrets_masker.masker.forget_all()


def test_example_8_2_redact():
    hidden = secrets_masker.redact(
        {"password": "abc", "x": "abc", "nested": {"API_KEY": ["a", "b"]}}
    )

    assert hidden == {"password": "***", "x": "abc", "nested": {"API_KEY": ["***", "***"]}}
    assert secrets_masker.redact(["a", {"b": "c"}], "token") == ["***", {"b": "***"}]


def test_example_8_3_short_secrets():
    secrets_masker.mask_secret("abc")

    assert secrets_masker.redact("x abc") == "x abc"


def test_example_8_4_a_secret_with_a_name():
    secrets_masker.mask_secret("v12345", name="plain")
    assert secrets_masker.redact("v12345") == "v12345"

    secrets_masker.mask_secret("v12345", name="api_token")
    assert secrets_masker.redact("v12345") == "***"


def test_example_8_5_serialized_values():
    assert serialize((1, 2)) == {
        "__classname__": "builtins.tuple", "__version__": 1, "__data__": [1, 2]
    }  # fmt: skip
    assert serialize({1: "a"}) == {"1": "a"}
    with pytest.raises(TypeError, match="bytes"):
        serialize(b"x")


@dataclasses.dataclass
class Point:
    x: int


def test_example_8_6_a_class_of_ones_own():
    stored = serialize(Point(1))

    with pytest.raises(ImportError, match="allowed_deserialization_classes"):
        deserialize(stored)


def test_example_8_7_a_new_try_forgets_what_the_last_one_pushed(dag, run):
    seen = []

    def flaky(ti):
        seen.append(ti.xcom_pull("flaky", key="k"))
        ti.xcom_push("k", 1)
        if ti.try_number == 1:
            raise ValueError("as it should")

    PythonOperator(task_id="flaky", python_callable=flaky, retries=1, retry_delay=0, dag=dag)

    assert run(dag)["flaky"] == "success"
    assert seen == [None, None]
