"""Masking (semantics section 8.7)."""

from __future__ import annotations

import logging

import pytest
from tradewind.sdk import task_runtime
from tradewind.sdk.configuration import conf
from tradewind.sdk.secrets_masker import (
    SecretsMasker,
    is_secret_name,
    mask,
    mask_secret,
    masker,
    redact,
)


@pytest.fixture(autouse=True)
def no_secrets(monkeypatch):
    monkeypatch.setattr(task_runtime, "current", None)
    masker.forget_all()
    yield
    masker.forget_all()


@pytest.mark.parametrize(
    ("name", "is_secret"),
    [("password", True), (" API-KEY ", True), ("my_Token_2", True), ("x.secret.y", True),
     ("DSN", True), ("user", False), ("", False), (None, False), ("passport", False)],
)  # fmt: skip
def test_a_name_with_a_sensitive_word_is_secret(name, is_secret):
    assert is_secret_name(name) is is_secret


def test_more_words_can_be_sensitive_and_hiding_can_be_off(monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__SENSITIVE_VAR_CONN_NAMES", "Pin, salt")
    conf.reset()
    assert is_secret_name("my_pin")

    monkeypatch.setenv("AIRFLOW__CORE__HIDE_SENSITIVE_VAR_CONN_FIELDS", "False")
    conf.reset()
    assert not is_secret_name("password")

    monkeypatch.undo()
    conf.reset()


def test_redact_hides_all_under_a_sensitive_name_and_keeps_the_structure():
    value = {"password": "abc", "x": "abc", "nested": {"API_KEY": ["a", "b"]}}

    assert redact(value) == {"password": "***", "x": "abc", "nested": {"API_KEY": ["***", "***"]}}
    assert redact(["a", {"b": "c"}], "token") == ["***", {"b": "***"}]


def test_known_secrets_are_replaced_wherever_they_stand():
    mask_secret("v12345")

    assert redact({"a": ["x v12345"], "b": {"v12345"}}) == {"a": ["x ***"], "b": ("***",)}


def test_short_secrets_and_the_word_airflow_are_not_masked():
    mask_secret("abcd")
    mask_secret("airflow")

    assert mask("x abcd airflow") == "x abcd airflow"


def test_with_a_name_only_a_sensitive_one_is_masked():
    mask_secret("v12345", name="plain")
    mask_secret("t12345", name="api_token")

    assert mask("v12345 t12345") == "v12345 ***"


def test_texts_inside_mappings_and_lists_are_masked():
    mask_secret({"any": ["secret-1", {"thing": "secret-2"}]})
    mask_secret({"user": "visible", "password": "secret-3"}, name="extra")

    assert mask("secret-1 secret-2 secret-3 visible") == "*** *** *** visible"


def test_a_longer_secret_wins_over_one_that_it_contains():
    mask_secret("abcde")
    mask_secret("abcdefgh")

    assert mask("abcdefgh") == "***"


def test_encoded_forms_of_a_secret_are_masked():
    mask_secret('p/a "w" d')

    assert mask("p%2Fa%20%22w%22%20d") == "***"
    assert mask(r"p/a \"w\" d") == "***"


def test_a_log_record_is_masked_whole():
    mask_secret("hunter2")
    try:
        raise ValueError("hunter2")
    except ValueError as error:
        record = logging.LogRecord(
            "n", logging.ERROR, "f", 1, "in %s %d: hunter2", ("hunter2", 5), None
        )
        record.exc_info = (type(error), error, error.__traceback__)

    masker.filter(record)
    text = logging.Formatter().format(record)

    assert "hunter2" not in text
    assert text.startswith("in *** 5: ***")


def test_a_secret_in_the_text_of_an_argument_is_masked():
    mask_secret("hunter2")
    record = logging.LogRecord("n", logging.INFO, "f", 1, "%s", (ValueError("a hunter2 b"),), None)

    masker.filter(record)

    assert record.getMessage() == "a *** b"


def test_a_log_call_with_wrong_arguments_is_left_to_the_handler():
    mask_secret("hunter2")
    record = logging.LogRecord("n", logging.INFO, "f", 1, "%d hunter2", ("x",), None)

    assert masker.filter(record)
    assert "hunter2" not in record.msg


def test_whoever_runs_the_task_hears_of_new_secrets_once(monkeypatch):
    heard = []

    class Runtime:
        def mask(self, values):
            heard.extend(values)

    monkeypatch.setattr(task_runtime, "current", Runtime())

    mask_secret("hunter2")
    mask_secret("hunter2")

    assert heard == ["hunter2"]


def test_a_strange_object_neither_leaks_nor_fails():
    class Strange(dict):
        def items(self):
            raise RuntimeError("no")

    assert SecretsMasker().redact(Strange(a=1)) == "***"
