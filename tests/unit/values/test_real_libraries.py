"""XComs of real libraries' values: numpy, pydantic, attrs; and who may be read back."""

from __future__ import annotations

import dataclasses
import datetime as dt
from decimal import Decimal
from zoneinfo import ZoneInfo

import attrs
import numpy
import pendulum
import pydantic
import pytest
from tradewind.operators.python import PythonOperator
from tradewind.sdk import xcom_serialization
from tradewind.sdk.xcom_serialization import XComNotStorable


class Address(pydantic.BaseModel):
    street: str
    built: dt.date


class Person(pydantic.BaseModel):
    name: str
    home: Address
    born: dt.datetime


@attrs.define
class Point:
    x: float
    y: float = 0.0


@dataclasses.dataclass
class Batch:
    rows: list[Point]
    total: Decimal


class Own:
    __version__ = 2

    def __init__(self, text):
        self.text = text

    def serialize(self):
        return {"text": self.text}

    @staticmethod
    def deserialize(data, version):
        return Own(f"{data['text']} of version {version}")

    def __eq__(self, other):
        return self.text == other.text


def there_and_back(value):
    text, _ = xcom_serialization.encode(value, task_id="t", key="k")
    return xcom_serialization.decode(text)


@pytest.fixture
def allowed(monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__ALLOWED_DESERIALIZATION_CLASSES", f"{__name__}.*")


@pytest.mark.parametrize(
    "value",
    [
        numpy.int64(7),
        numpy.uint8(255),
        numpy.float32(0.5),
        numpy.float64(0.1),
        numpy.bool_(True),
    ],
    ids=repr,
)
def test_numbers_of_numpy_come_back_as_what_they_were(value):
    back = there_and_back({"a": [value]})["a"][0]

    assert back == value
    assert type(back) is type(value)


def test_an_array_of_numpy_is_refused_with_the_fix():
    with pytest.raises(XComNotStorable, match=r"numpy\.ndarray .*Return text, numbers, lists"):
        there_and_back(numpy.zeros(3))


def test_models_of_pydantic_come_back_with_what_is_in_them(allowed):
    person = Person(
        name="Ada",
        home=Address(street="St James's Square", built=dt.date(1730, 1, 1)),
        born=dt.datetime(1815, 12, 10, tzinfo=dt.UTC),
    )

    assert there_and_back(person) == person


def test_dataclasses_and_attrs_nest(allowed):
    batch = Batch([Point(1.5), Point(2.0, 3.0)], Decimal("4.5"))

    assert there_and_back([batch, {"p": Point(0.0)}]) == [batch, {"p": Point(0.0)}]


def test_a_class_may_say_itself_how_it_is_written(allowed):
    assert there_and_back(Own("x")) == Own("x of version 2")


def test_what_is_not_on_the_list_is_stored_and_not_read_back():
    text, _ = xcom_serialization.encode(Point(1.0), task_id="t", key="k")

    with pytest.raises(ImportError, match="allowed_deserialization_classes"):
        xcom_serialization.decode(text)


@pytest.mark.parametrize(
    "value",
    [
        dt.datetime(2024, 3, 31, 12, 30, tzinfo=ZoneInfo("Europe/Paris")),
        dt.datetime(2024, 1, 1),  # noqa: DTZ001 - a naive one stays naive
        pendulum.datetime(2024, 1, 1, tz="America/New_York"),
        dt.date(2024, 2, 29),
        dt.timedelta(days=1, microseconds=5),
        Decimal("0.1"),
        {1, 2, 3},
        (1, (2, "x")),
        frozenset({"a"}),
    ],
    ids=repr,
)
def test_values_of_the_standard_library_come_back_equal(value):
    back = there_and_back(value)

    assert back == value
    assert isinstance(back, type(value))


def test_tasks_hand_them_on(world, allowed):
    PythonOperator(task_id="make", python_callable=lambda: [Point(1.0)], dag=world.dag)
    PythonOperator(
        task_id="take", python_callable=lambda ti: ti.xcom_pull("make")[0].x, dag=world.dag
    )

    world.run("make")
    world.run("take")

    assert world.xcoms("take") == {"return_value": 1.0}
