"""``@asset``: a function that makes one piece of data is a DAG of one task (Airflow 3).

The DAG and its task are named after the function, as the asset is. Rules: semantics sections
3.1 and 4.11.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from . import dialect
from .asset import Asset, BaseAsset
from .context_keys import KNOWN_CONTEXT_KEYS
from .dag import DAG
from .exceptions import InvalidArgumentError

_OF_THE_ASSET = ("name", "uri", "group", "extra", "watchers")


class AssetDefinition(Asset):
    """The asset that a decorated function makes. Usable wherever an asset is."""

    def __init__(self, function: Callable[..., Any], arguments: dict[str, Any]) -> None:
        super().__init__(**arguments)
        self.function = function


class MultiAssetDefinition(BaseAsset):
    """What ``@asset.multi`` makes: one task, several assets."""

    def __init__(self, function: Callable[..., Any], outlets: Sequence[Asset]) -> None:
        self.function = function
        self.outlets = list(outlets)

    def iter_assets(self) -> Any:
        yield from self.outlets

    def as_expression(self) -> Any:
        return {"all": [outlet.as_expression() for outlet in self.outlets]}


class AssetDecorator:
    """``asset`` itself; ``asset.multi`` for functions that make several."""

    def __call__(self, *, schedule: Any, name: str | None = None, **kwargs: Any) -> Any:
        """Make a function the maker of an asset.

        Args:
            schedule: when it is made; other assets, mostly.
            name: of the asset and of the DAG. Default: the function's.
            kwargs: ``uri``, ``group``, ``extra``, ``watchers`` of the asset; the rest is the
                DAG's.
        """

        def decorate(function: Callable[..., Any]) -> AssetDefinition:
            about = {key: kwargs.pop(key) for key in _OF_THE_ASSET if key in kwargs}
            about["name"] = name or function.__name__
            definition = AssetDefinition(function, about)
            _declare(function, definition, [definition], schedule, kwargs, about["name"])
            return definition

        return decorate

    def multi(self, *, outlets: Sequence[Asset], schedule: Any, **kwargs: Any) -> Any:
        """Make a function the maker of several assets."""
        if not outlets:
            raise InvalidArgumentError("@asset.multi needs outlets")

        def decorate(function: Callable[..., Any]) -> MultiAssetDefinition:
            definition = MultiAssetDefinition(function, outlets)
            dag_id = kwargs.pop("dag_id", None) or kwargs.pop("name", None) or function.__name__
            _declare(function, definition, outlets, schedule, kwargs, dag_id)
            return definition

        return decorate


def _declare(
    function: Callable[..., Any],
    definition: BaseAsset,
    outlets: Sequence[Asset],
    schedule: Any,
    kwargs: dict[str, Any],
    dag_id: str,
) -> None:
    """Build the DAG. It is known to the parser through its ``with`` block."""
    from .task_decorators import decorated_class

    settings = {"catchup": False, **kwargs}
    spoken = dialect.dialect_of(dialect.calling_frame())
    named = _named_assets(function)
    with DAG(
        settings.pop("dag_id", dag_id),
        schedule=schedule,
        _dialect=spoken,
        _fileloc=function.__code__.co_filename,
        **settings,
    ):
        values: dict[str, Any] = dict(named)
        if "self" in _parameters(function):
            values["self"] = definition
        decorated_class("python")(
            task_id=function.__name__,
            python_callable=function,
            op_kwargs=values,
            inlets=list(named.values()),
            outlets=list(outlets),
        )


def _parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    code = function.__code__
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


def _named_assets(function: Callable[..., Any]) -> dict[str, Any]:
    """Return a reference for each parameter: it is the name of an asset that is read."""
    return {
        name: Asset.ref(name=name)
        for name in _parameters(function)
        if name not in KNOWN_CONTEXT_KEYS and name not in ("self", "context")
    }


asset = AssetDecorator()
