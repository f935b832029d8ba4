"""The configuration of one run, checked against the parameters that the DAG declares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .errors import TradewindError
from .patterns import PatternTooSlow, is_match

if TYPE_CHECKING:
    from .serialized import SerializedDag

#: A value of a megabyte is not repeated to whoever sent it.
MESSAGE_LENGTH_MAX = 1000


class ConfDoesNotFit(TradewindError):
    """A run's configuration does not fit the parameters of its DAG."""


def check_conf(dag: SerializedDag, conf: Mapping[str, Any] | None) -> None:
    """Refuse a configuration with which the DAG's parameters would not be valid.

    Keys that are no parameters are allowed. Without ``[core] dag_run_conf_overrides_params`` the
    configuration does not reach the parameters, and is not checked.

    Raises:
        ConfDoesNotFit: the text names the parameter and what is wrong with it.
    """
    from .configuration import conf as settings

    given = conf or {}
    if not settings.getboolean("core", "dag_run_conf_overrides_params"):
        given = {}
    for param in dag.params:
        if param.name in given:
            check_param(_about(dag, param.name), given[param.name], param.schema)
        elif param.has_default:
            check_param(_about(dag, param.name), param.default, param.schema)
        else:
            raise ConfDoesNotFit(
                f"DAG {dag.dag_id!r} needs a value for the parameter {param.name!r}"
            )


def _about(dag: SerializedDag, name: str) -> str:
    return f"Parameter {name!r} of DAG {dag.dag_id!r}"


def check_param(about: str, value: Any, schema: Mapping[str, Any]) -> None:
    """Refuse a value that its schema does not allow.

    Args:
        about: what the error calls it.

    Raises:
        ConfDoesNotFit: the text says what is wrong.
    """
    if not schema:
        return
    from jsonschema import Draft202012Validator, FormatChecker, SchemaError, validators
    from jsonschema.exceptions import best_match

    kind = validators.validator_for(schema, default=Draft202012Validator)
    try:
        kind.check_schema(schema)
        careful = validators.extend(kind, {"pattern": _pattern})
        error = best_match(careful(schema, format_checker=FormatChecker()).iter_errors(value))
    except SchemaError as found:
        raise ConfDoesNotFit(f"{about} has a wrong schema: {found.message}") from None
    except PatternTooSlow as found:
        raise ConfDoesNotFit(f"{about} is not valid: {found}") from None
    if error is not None:
        raise ConfDoesNotFit(f"{about} is not valid: {error.message[:MESSAGE_LENGTH_MAX]}")


def _pattern(_validator: Any, pattern: str, value: Any, _schema: Any) -> Iterator[Any]:
    from jsonschema import ValidationError

    if isinstance(value, str) and not is_match(pattern, value):
        yield ValidationError(f"{value[:MESSAGE_LENGTH_MAX]!r} does not match {pattern!r}")
