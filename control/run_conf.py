"""The configuration that a person gives to a run, checked before the run exists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..sdk import run_conf
from .input import InvalidInput

if TYPE_CHECKING:
    from ..sdk.serialized import SerializedDag


def check_conf(dag: SerializedDag, conf: Mapping[str, Any] | None) -> None:
    """Refuse a configuration with which the DAG's parameters would not be valid.

    Raises:
        InvalidInput: the text names the parameter and what is wrong with it.
    """
    try:
        run_conf.check_conf(dag, conf)
    except run_conf.ConfDoesNotFit as error:
        raise InvalidInput(str(error)) from None
