"""Rows of semantics 8.2 to 8.7 that no checkable example covers."""

from __future__ import annotations

import json

import numpy
import pytest
from tradewind.sdk import xcom, xcom_serialization
from tradewind.sdk.connection import Connection
from tradewind.sdk.secrets_masker import is_secret_name, mask, mask_secret, masker, redact
from tradewind.sdk.xcom_object_storage import XComObjectStorageBackend
from tradewind.sdk.xcom_serialization import XComNotStorable

# --- 8.2 -------------------------------------------------------------------------------------


@pytest.fixture
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv("AIRFLOW__COMMON_IO__XCOM_OBJECTSTORAGE_PATH", f"file://{tmp_path}")
    return tmp_path


def stored(value):
    names = {"key": "k", "task_id": "t", "dag_id": "d", "run_id": "r"}
    return XComObjectStorageBackend.serialize_value(value, **names)


@pytest.mark.parametrize(
    ("threshold", "value", "goes"),
    [
        (None, "x" * 5000, False),  # the default, -1: always the database
        ("-1", "x" * 5000, False),
        ("0", "", True),
        ("12", "x" * 10, True),  # twelve bytes with its quotes: from the threshold on
        ("13", "x" * 10, False),
    ],
)
def test_the_threshold_says_from_which_size_on_a_value_goes_to_the_store(
    folder, monkeypatch, threshold, value, goes
):
    if threshold is not None:
        monkeypatch.setenv("AIRFLOW__COMMON_IO__XCOM_OBJECTSTORAGE_THRESHOLD", threshold)

    text = stored(value)

    assert [path.parent for path in folder.rglob("*") if path.is_file()] == (
        [folder / "d" / "r" / "t"] if goes else []
    )
    assert (json.loads(text) == value) is not goes
    assert XComObjectStorageBackend.deserialize_value(xcom.XComResult("k", text)) == value


def test_where_a_stored_file_is_gone_its_path_is_the_value(folder, monkeypatch):
    monkeypatch.setenv("AIRFLOW__COMMON_IO__XCOM_OBJECTSTORAGE_THRESHOLD", "0")
    text = stored([1])
    (file,) = [path for path in folder.rglob("*") if path.is_file()]
    file.unlink()

    value = XComObjectStorageBackend.deserialize_value(xcom.XComResult("k", text))

    assert value == json.loads(text)
    assert value.endswith(file.name)


# --- 8.3 -------------------------------------------------------------------------------------


def there_and_back(value):
    text, _ = xcom_serialization.encode(value, task_id="t", key="k")
    return xcom_serialization.decode(text)


def test_of_a_complex_number_of_numpy_the_real_part_is_kept():
    assert there_and_back(numpy.complex128(1.5 + 2j)) == 1.5


@pytest.mark.parametrize("key", ["__classname__", "__id__"])
def test_dicts_cannot_have_the_keys_of_written_objects(key):
    with pytest.raises(AttributeError):
        xcom_serialization.serialize({key: 1})


class DataFrame:
    """As pandas has one where nothing that writes parquet is installed."""

    __module__ = "pandas.core.frame"

    def to_parquet(self):
        raise ImportError("Unable to find a usable engine; tried using: 'pyarrow', 'fastparquet'.")


def test_a_data_frame_says_what_is_to_be_installed_for_it():
    with pytest.raises(XComNotStorable, match=r"pandas.core.frame.DataFrame.*install pyarrow"):
        there_and_back({"frame": DataFrame()})


# --- 8.5 -------------------------------------------------------------------------------------


def test_extras_may_be_an_object_or_its_text():
    assert Connection(extra={"a": 1}).extra_dejson == {"a": 1}
    assert Connection(extra='{"a": 1}').extra_dejson == {"a": 1}
    assert Connection(extra={"a": '{"b": 1}'}).get_extra_dejson(nested=True) == {"a": {"b": 1}}


# --- 8.7 -------------------------------------------------------------------------------------

SENSITIVE = """
    access_key access_token api_key apikey auth_header authorization bearer connection_string dsn
    keyfile_dict passphrase passwd password private_key proxies proxy proxy_password secret
    service_account service_key token webhook_url
"""


@pytest.fixture(autouse=True)
def no_secrets():
    masker.forget_all()
    yield
    masker.forget_all()


@pytest.mark.parametrize("word", SENSITIVE.split())
def test_each_sensitive_word_makes_a_name_sensitive(word):
    assert is_secret_name(word)
    assert is_secret_name(f"  My_{word.upper()}_2 ")
    assert is_secret_name(word.replace("_", "-"))
    assert redact({word: ["v", {"w": 1}]}) == {word: ["***", {"w": "***"}]}


def test_no_other_word_is_sensitive():
    names = "user login host port schema conn_type region key keys passport pwd credential id"

    assert [name for name in names.split() if is_secret_name(name)] == []


def adapted(secret):
    return [secret.upper(), secret[::-1]]


def test_an_adapter_adds_forms_of_a_secret(monkeypatch):
    monkeypatch.setenv("AIRFLOW__LOGGING__SECRET_MASK_ADAPTER", f"{__name__}.adapted")

    mask_secret("hunter2")

    assert mask("hunter2 HUNTER2 2retnuh Hunter2") == "*** *** *** Hunter2"


def test_the_shortest_secret_that_is_masked_is_a_setting(monkeypatch):
    monkeypatch.setenv("AIRFLOW__LOGGING__MIN_LENGTH_MASKED_SECRET", "3")

    mask_secret("abc")
    mask_secret("de")

    assert mask("abc de") == "*** de"


def test_the_text_of_an_exception_and_of_its_cause_are_masked(caplog):
    import logging

    mask_secret("hunter2")
    log = logging.getLogger("tests.masked")
    caplog.handler.addFilter(masker)
    try:
        try:
            raise KeyError("inner hunter2")
        except KeyError as error:
            raise ValueError("outer hunter2") from error
    except ValueError:
        log.exception("it failed")
    finally:
        caplog.handler.removeFilter(masker)

    assert "hunter2" not in caplog.text
    assert caplog.text.count("***") >= 2
