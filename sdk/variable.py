"""``Variable``: named texts that DAG files and tasks read. Rules: semantics section 8.4."""

from __future__ import annotations

import json
import logging
from typing import Any

from . import secrets_lookup, task_runtime
from .exceptions import InvalidUseError, VariableNotFoundError
from .not_set import NOTSET, is_arg_set
from .secrets_masker import is_secret_name, mask_secret

log = logging.getLogger(__name__)


class Variable:
    """Reads and writes variables; its methods are called on the class."""

    def __init__(self, key: str = "", val: Any = None, description: str | None = None) -> None:
        self.key = key
        self.val = val
        self.description = description

    @classmethod
    def get(
        cls,
        key: str,
        default: Any = NOTSET,
        deserialize_json: bool = False,
        default_var: Any = NOTSET,
    ) -> Any:
        """Return a variable's text, or the object that its JSON text stands for.

        Args:
            default: returned as it is where there is no such variable.
            default_var: Airflow 2's name of *default*.

        Raises:
            VariableNotFoundError: no such variable, and no default (also a KeyError).
            json.JSONDecodeError: the text is not JSON.
        """
        value = secrets_lookup.find_variable(key)
        if value is None:
            if not is_arg_set(default):
                default = default_var
            if not is_arg_set(default):
                raise VariableNotFoundError(
                    f"there is no Variable {key!r}: set it with `tradewind variables set`, on the "
                    f"page Variables, or as AIRFLOW_VAR_{key.upper()}; or give a default"
                )
            if default and is_secret_name(key):
                mask_secret(default)
            return default
        if not deserialize_json:
            return value
        decoded = json.loads(value)
        mask_secret(decoded, key)
        return decoded

    @classmethod
    def set(
        cls,
        key: str,
        value: Any,
        description: str | None = None,
        serialize_json: bool = False,
        **ignored: Any,
    ) -> None:
        """Store a variable; *serialize_json*: as JSON, else as ``str(value)``.

        Raises:
            AirflowException: there is nowhere to store it.
        """
        text = json.dumps(value, indent=2) if serialize_json else str(value)
        if is_secret_name(key):
            mask_secret(text)
        if secrets_lookup.is_shadowed_variable(key):
            log.warning(
                "the Variable %s is stored, but a secrets backend or the environment has one of "
                "that name, which will be found first",
                key,
            )
        _runtime("set").set_variable(key, text, description)

    @classmethod
    def setdefault(
        cls,
        key: str,
        default: Any,
        description: str | None = None,
        deserialize_json: bool = False,
    ) -> Any:
        """Return a variable; where there is none, store *default* first.

        Raises:
            ValueError: there is none, and *default* is None.
        """
        found = cls.get(key, default=None, deserialize_json=deserialize_json)
        if found is not None:
            return found
        if default is None:
            raise ValueError("the default of a Variable must not be None")
        cls.set(key, default, description, serialize_json=deserialize_json)
        return default

    @classmethod
    def update(cls, key: str, value: Any, serialize_json: bool = False, **ignored: Any) -> None:
        """Replace the value of a stored variable.

        Raises:
            KeyError: there is none.
        """
        runtime = _runtime("update")
        if runtime.get_variable(key) is None:
            raise VariableNotFoundError(f"there is no stored Variable {key!r} to update")
        cls.set(key, value, serialize_json=serialize_json)

    @classmethod
    def delete(cls, key: str, **ignored: Any) -> int:
        """Remove a stored variable; return how many that were."""
        return int(_runtime("delete").delete_variable(key))

    @classmethod
    def keys(cls, prefix: str | None = None) -> list[str]:
        """Return the keys of stored variables, in order (Airflow 3).

        Those of the environment and of secrets backends are not among them: most of those
        cannot be listed.
        """
        return list(_runtime("keys").get_variable_keys(prefix or ""))

    @classmethod
    def get_variable_from_secrets(cls, key: str, **ignored: Any) -> str | None:
        """Return a variable's text wherever it is, or None."""
        return secrets_lookup.find_variable(key)

    def __repr__(self) -> str:
        return f"{self.key} : {'***' if is_secret_name(self.key) else self.val}"


def _runtime(verb: str) -> task_runtime.TaskRuntime:
    if task_runtime.current is None:
        raise InvalidUseError(
            f"Variable.{verb} works inside tasks only: outside of them nothing is stored. Use "
            "`tradewind variables` instead"
        )
    return task_runtime.current
