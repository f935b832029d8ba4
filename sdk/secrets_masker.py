"""Keeping secrets out of what people read: ``***`` in their place.

A value becomes known as secret when a connection or a sensitive Variable is looked up, or by
``mask_secret``. Source: ``spec/semantics.md`` section 8.7 (Airflow 3's rules), and
``spec/security.md``.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from . import task_runtime

MASK = "***"
#: Unless ``[logging] min_length_masked_secret`` says otherwise; shorter ones are ordinary words.
LENGTH_MIN = 5
DEPTH_MAX = 20
NEVER_MASKED = frozenset({"airflow"})

SENSITIVE_WORDS = frozenset(
    {
        "access_key",
        "access_token",
        "api_key",
        "apikey",
        "auth_header",
        "authorization",
        "bearer",
        "connection_string",
        "dsn",
        "keyfile_dict",
        "passphrase",
        "passwd",
        "password",
        "private_key",
        "proxies",
        "proxy",
        "proxy_password",
        "secret",
        "service_account",
        "service_key",
        "token",
        "webhook_url",
    }
)
DEFAULT_SENSITIVE_FIELDS = SENSITIVE_WORDS

log = logging.getLogger(__name__)


def is_secret_name(name: Any) -> bool:
    """Tell whether what is called *name* has to be hidden: its name contains a sensitive word."""
    from .configuration import conf

    if not isinstance(name, str) or not name:
        return False
    if not conf.getboolean("core", "hide_sensitive_var_conn_fields", fallback=True):
        return False
    more = conf.get("core", "sensitive_var_conn_names", fallback="") or ""
    return _has_sensitive_word(name, more)


should_hide_value_for_key = is_secret_name


@lru_cache(maxsize=1024)
def _has_sensitive_word(name: str, more_words: str) -> bool:
    folded = re.sub(r"\W", "_", name.strip().lower())
    words = {*SENSITIVE_WORDS, *(word.strip().lower() for word in more_words.split(","))}
    return any(word in folded for word in words if word)


class SecretsMasker(logging.Filter):
    """Knows secret values, and replaces them. As a logging filter it masks whole records."""

    def __init__(self) -> None:
        super().__init__()
        self._known: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def known(self) -> list[str]:
        """Return all values that are masked, with their encoded forms."""
        return sorted(self._known)

    def forget_all(self) -> None:
        """Know no secret any more (between two ``dag.test()`` of one process, and in tests)."""
        self._known.clear()
        self._pattern = None

    def add_mask(self, secret: Any, name: str | None = None) -> None:
        """Mask a value from now on: a text, or each text in a mapping or an iterable.

        Args:
            name: what the value is called; if given, it is masked only if that is sensitive.
        """
        found: set[str] = set()
        _collect_secrets(secret, name, found, depth=0)
        new = {form for text in found for form in _forms(text)} - self._known
        if not new:
            return
        self._known |= new
        longest_first = sorted(self._known, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first)))
        if task_runtime.current is not None:
            task_runtime.current.mask(sorted(found))

    def mask(self, text: str) -> str:
        """Return *text* with every known secret replaced."""
        return text if self._pattern is None else self._pattern.sub(MASK, text)

    def redact(self, item: Any, name: str | None = None, max_depth: int | None = None) -> Any:
        """Return *item* without secrets: its structure and its keys stay.

        Everything under a sensitive name is hidden, and known secrets in every text. Sets become
        tuples, because several elements may become equal. Never raises: what cannot be looked
        into is hidden.
        """
        try:
            return self._redact(item, name, max_depth or DEPTH_MAX, is_hidden=False)
        except Exception as error:  # noqa: BLE001 - a strange object must not leak, nor fail a task
            log.warning("a value of type %s cannot be masked: %s", type(item).__name__, error)
            return MASK

    def _redact(self, item: Any, name: str | None, depth: int, is_hidden: bool) -> Any:
        is_hidden = is_hidden or (name is not None and is_secret_name(name))
        if item is None or isinstance(item, bool):
            return MASK if is_hidden and item is not None else item
        if isinstance(item, str):
            return MASK if is_hidden else self.mask(item)
        if depth <= 0:
            return MASK if is_hidden or self._pattern is not None else item
        if isinstance(item, Mapping):
            return {
                key: self._redact(value, str(key), depth - 1, is_hidden)
                for key, value in item.items()
            }
        if isinstance(item, (list, tuple, set, frozenset)):
            elements = [self._redact(element, None, depth - 1, is_hidden) for element in item]
            return elements if isinstance(item, list) else tuple(elements)
        return MASK if is_hidden else item

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask message, arguments and traceback of a log record; never drops it."""
        if self._pattern is None:
            return True
        if record.args:
            record.args = self.redact(record.args)
        try:
            text = record.getMessage()
        except Exception:  # noqa: BLE001 - a wrong format: the handler tells of it, and prints it
            record.msg = self.mask(str(record.msg))
        else:
            masked = self.mask(text)
            if masked != text:  # also what only str() of an argument shows
                record.msg, record.args = masked, ()
        if record.exc_info:
            text = logging.Formatter().formatException(record.exc_info)
            record.exc_text = self.mask(text)
        return True


def _collect_secrets(secret: Any, name: str | None, found: set[str], depth: int) -> None:
    if depth > DEPTH_MAX or secret is None or isinstance(secret, bool):
        return
    if isinstance(secret, Mapping):
        for key, value in secret.items():
            # Once a name above was sensitive, everything below is.
            inner = None if name is not None and is_secret_name(name) else _name(key, name)
            _collect_secrets(value, inner, found, depth + 1)
    elif isinstance(secret, str):
        if (name is None or is_secret_name(name)) and _is_maskable(secret):
            found.add(secret)
    elif isinstance(secret, Iterable):
        for value in secret:
            _collect_secrets(value, name, found, depth + 1)


def _name(key: Any, outer: str | None) -> str | None:
    # Without a name, the whole mapping is secret.
    return None if outer is None else str(key)


def _is_maskable(text: str) -> bool:
    from .configuration import conf

    length_min = conf.getint("logging", "min_length_masked_secret", fallback=LENGTH_MIN)
    return len(text) >= length_min and text not in NEVER_MASKED and bool(text.strip())


def _forms(text: str) -> set[str]:
    """Return a secret as it may appear: as it is, in a URL, in JSON, in a repr, line by line."""
    forms = {
        text,
        quote(text, safe="", errors="backslashreplace"),
        json.dumps(text)[1:-1],
        repr(text)[1:-1],
    }
    if "\n" in text:  # logs are masked line by line
        forms.update(line for line in text.splitlines() if len(line.strip()) >= LENGTH_MIN)
    forms.update(_adapted(text))
    return forms


def _adapted(text: str) -> Iterable[str]:
    """Ask the user's own function for further forms (``[logging] secret_mask_adapter``)."""
    from .configuration import conf

    path = conf.get("logging", "secret_mask_adapter", fallback="")
    if not path:
        return ()
    from .import_string import import_string

    given = import_string(path)(text)
    return (given,) if isinstance(given, str) else tuple(given)


masker = SecretsMasker()


def mask_secret(secret: Any, name: str | None = None) -> None:
    """Keep a value out of logs and pages from now on (Airflow's function of this name)."""
    if secret:
        masker.add_mask(secret, name)


def redact(value: Any, name: str | None = None, max_depth: int | None = None) -> Any:
    """Return a value without secrets (Airflow's function of this name)."""
    return masker.redact(value, name, max_depth)


def mask(text: str) -> str:
    """Return *text* with every known secret replaced by ``***``."""
    return masker.mask(text)
