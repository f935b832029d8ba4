"""The configuration of one run, checked against the parameters that the DAG declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .input import InvalidInput

if TYPE_CHECKING:
    from ..sdk.serialized import SerializedDag


def check_conf(dag: SerializedDag, conf: Mapping[str, Any] | None) -> None:
    """Refuse a configuration with which the DAG's parameters would not be valid.

    Keys that are no parameters are allowed. Without ``[core] dag_run_conf_overrides_params`` the
    configuration does not reach the parameters, and is not checked.

    Raises:
        InvalidInput: the text names the parameter and what is wrong with it.
    """
    from ..sdk.configuration import conf as settings

    given = conf or {}
    if not settings.getboolean("core", "dag_run_conf_overrides_params"):
        given = {}
    for param in dag.params:
        if param.name in given:
            _check(dag, param.name, given[param.name], param.schema)
        elif param.has_default:
            _check(dag, param.name, param.default, param.schema)
        else:
            raise InvalidInput(f"DAG {dag.dag_id!r} needs a value for the parameter {param.name!r}")


def _check(dag: SerializedDag, name: str, value: Any, schema: Mapping[str, Any]) -> None:
    if not schema:
        return
    import jsonschema

    try:
        jsonschema.validate(value, schema, format_checker=jsonschema.FormatChecker())
    except jsonschema.ValidationError as error:
        raise InvalidInput(
            f"Parameter {name!r} of DAG {dag.dag_id!r} is not valid: {error.message}"
        ) from None
    except jsonschema.SchemaError as error:
        raise InvalidInput(
            f"Parameter {name!r} of DAG {dag.dag_id!r} has a wrong schema: {error.message}"
        ) from None
