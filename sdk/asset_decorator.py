"""``@asset``: a function that makes one piece of data is a DAG of one task (Airflow 3).

The DAG and its task are named after the function, as the asset is. Rules: semantics sections
3.1 and 4.11.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from . import dialect, task_runtime
from .asset import Asset, BaseAsset
from .context import get_current_context
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
    parameters = _asset_parameters(function)
    with DAG(
        settings.pop("dag_id", dag_id),
        schedule=schedule,
        _dialect=spoken,
        _fileloc=function.__code__.co_filename,
        **settings,
    ):
        decorated_class("python")(
            task_id=function.__name__,
            python_callable=_filled_in(function, definition, parameters),
            inlets=[Asset.ref(name=name) for name in parameters],
            outlets=list(outlets),
        )


def _asset_parameters(function: Callable[..., Any]) -> list[str]:
    """Return the parameters that name an asset which is read."""
    return [
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if name not in KNOWN_CONTEXT_KEYS
        and name not in ("self", "context")
        and parameter.default is parameter.empty
        and parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    ]


def _filled_in(
    function: Callable[..., Any], definition: BaseAsset, parameters: Sequence[str]
) -> Callable[..., Any]:
    """Return a function without parameters that calls *function* with what it asks for.

    ``self`` is the definition, ``context`` the context, a context key its value, any other name
    the asset of this name. Generators and coroutines pass through.
    """
    names = list(inspect.signature(function).parameters)

    @functools.wraps(function)
    def called() -> Any:
        context = get_current_context()
        given: dict[str, Any] = {name: _find_asset(name) for name in parameters}
        given |= {name: context[name] for name in names if name in context}
        if "context" in names:
            given["context"] = context
        if "self" in names:
            given["self"] = definition
        return function(**given)

    called.__signature__ = inspect.Signature()  # type: ignore[attr-defined]
    return called


def _find_asset(name: str) -> Asset:
    """Return the asset that a DAG in force calls so; without a server, one of just this name."""
    runtime = task_runtime.current
    found = runtime.find_asset(name=name, uri=None) if runtime is not None else None
    if found is None:
        return Asset(name)
    return Asset(found["name"], found["uri"], group=found["group"], extra=found["extra"])


asset = AssetDecorator()
