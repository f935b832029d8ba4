"""XComs as JSON text (semantics section 8.3)."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import json
import uuid
from collections import OrderedDict, namedtuple
from decimal import Decimal
from zoneinfo import ZoneInfo

import pendulum
import pytest
from tradewind.sdk.configuration import conf
from tradewind.sdk.xcom_serialization import (
    XComNotStorable,
    decode,
    deserialize,
    encode,
    serialize,
)

Point = namedtuple("Point", "x y")


class Colour(enum.StrEnum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


class Odd(enum.Enum):
    ONE = object()


@dataclasses.dataclass
class Fruit:
    name: str
    weights: tuple[int, ...] = ()


class Versioned:
    __version__ = 2

    def __init__(self, value):
        self.value = value

    def __eq__(self, other):
        return self.value == other.value

    __hash__ = None

    def serialize(self):
        return {"value": self.value}

    @staticmethod
    def deserialize(data, version):
        return Versioned(data["value"])


@pytest.fixture
def allow(monkeypatch):
    def allow(globs):
        monkeypatch.setenv("AIRFLOW__CORE__ALLOWED_DESERIALIZATION_CLASSES", globs)
        conf.reset()

    yield allow
    monkeypatch.undo()
    conf.reset()


def there_and_back(value):
    text, _ = encode(value, task_id="t", key="k")
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    return decode(text)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -(2**70),
        1.5,
        "",
        "é\u2028\ud83d",
        [],
        {},
        [1, [2, {"a": None}]],
        (1, (2, 3)),
        {1, 2},
        frozenset({"a"}),
        dt.datetime(2024, 1, 2, 3, 4, 5, 678901),  # noqa: DTZ001 - naive on purpose
        dt.datetime(2024, 1, 2, 3, 4, 5, 678901, tzinfo=dt.UTC),
        dt.datetime(2024, 7, 2, tzinfo=ZoneInfo("Europe/Zurich")),
        dt.datetime(1931, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=5, minutes=30))),
        dt.date(2024, 2, 29),
        dt.timedelta(days=-1, microseconds=3),
        Decimal("3"),
        Decimal("1.25"),
        ZoneInfo("Europe/Zurich"),
        uuid.UUID(int=7),
    ],
    ids=repr,
)
def test_a_value_comes_back_as_it_went(value):
    back = there_and_back(value)

    assert back == value
    assert type(back) is type(value)


def test_pendulum_instants_keep_class_and_zone():
    value = pendulum.datetime(2024, 7, 1, 12, tz="Europe/Paris")

    back = there_and_back(value)

    assert isinstance(back, pendulum.DateTime)
    assert (back, back.timezone_name) == (value, "Europe/Paris")


def test_the_written_form_is_that_of_airflow():
    assert serialize((1, 2)) == {
        "__classname__": "builtins.tuple",
        "__version__": 1,
        "__data__": [1, 2],
    }
    assert serialize({1: "a", None: 2}) == {"1": "a", "None": 2}
    assert serialize(Decimal("1.50"))["__data__"] == 1.5
    assert serialize(dt.timedelta(minutes=1)) == {
        "__classname__": "datetime.timedelta",
        "__version__": 2,
        "__data__": 60.0,
    }
    naive = serialize(dt.datetime(1970, 1, 2))  # noqa: DTZ001 - naive on purpose
    assert naive["__data__"] == {"timestamp": 86400.0, "tz": None}


def test_enums_of_text_and_numbers_become_their_values():
    assert there_and_back([Colour.RED, Level.HIGH]) == ["red", 3]


def test_subclasses_of_plain_types_become_plain():
    assert there_and_back(Point(1, 2)) == (1, 2)
    assert there_and_back(OrderedDict(a=1)) == {"a": 1}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (b"x", ["'t'", "'k'", "bytes", "Decode"]),
        ({"a": [1, object()]}, ["object", "value['a'][1]", "serialize()"]),
        ((i for i in ()), ["generator", "list(...)"]),
        (len, ["builtin_function_or_method", "the function's result"]),
        (Odd.ONE, ["Odd", ".name"]),
        ({"__classname__": 1}, ["__classname__", "reserved"]),
    ],
    ids=["bytes", "object", "generator", "function", "enum", "reserved key"],
)
def test_a_value_without_a_written_form_is_refused_with_a_fix(value, words):
    with pytest.raises(XComNotStorable) as raised:
        encode(value, task_id="t", key="k")

    assert isinstance(raised.value, TypeError)
    for word in words:
        assert word in str(raised.value)


def test_a_value_that_contains_itself_is_refused():
    loop: list = []
    loop.append(loop)

    with pytest.raises(XComNotStorable, match="contains itself"):
        encode(loop, task_id="t", key="k")


@pytest.mark.parametrize(
    ("value", "length"),
    [([1, 2], 2), ((), 0), ({"a": 1}, 1), ("text", None), (5, None), ({1}, None), (None, None)],
)
def test_only_sequences_and_dicts_have_a_length(value, length):
    assert encode(value, task_id="t", key="k")[1] == length


def test_a_class_is_read_back_only_if_it_is_allowed(allow):
    text, _ = encode(Fruit("apple", (1, 2)), task_id="t", key="k")

    with pytest.raises(ImportError, match="allowed_deserialization_classes"):
        decode(text)

    allow(f"{Fruit.__module__}.*")
    assert decode(text) == Fruit("apple", (1, 2))


def test_a_class_that_serializes_itself_is_asked_to(allow):
    allow(f"{Versioned.__module__}.Versioned")

    assert there_and_back(Versioned([1])) == Versioned([1])


def test_a_value_of_a_newer_version_of_its_class_is_refused(allow):
    allow(f"{Versioned.__module__}.Versioned")
    written = {**serialize(Versioned(1)), "__version__": 3}

    with pytest.raises(TypeError, match="version 3"):
        deserialize(written)


def test_stored_text_cannot_name_a_class_to_be_called():
    for name in ("builtins.eval", "os.system", "subprocess.Popen", "numpy.os.system"):
        with pytest.raises(ImportError):
            deserialize({"__classname__": name, "__version__": 1, "__data__": "true"})


def test_attrs_classes_come_back(allow):
    import attrs

    namespace: dict = {"attrs": attrs}
    exec("@attrs.define\nclass A:\n    x: int\n    _y: int = 2", namespace)
    kind = namespace["A"]
    kind.__module__ = __name__
    globals()["A"] = kind
    allow(f"{__name__}.A")

    assert serialize(kind(1))["__data__"] == {"x": 1, "_y": 2}


def test_a_class_of_a_dag_file_is_named_without_the_name_of_its_import():
    kind = type("Order", (), {"__module__": f"unusual_prefix_{'0a' * 20}_my_dag"})

    with pytest.raises(XComNotStorable, match=r"of type my_dag\.Order cannot"):
        encode(kind(), task_id="t", key="k")
