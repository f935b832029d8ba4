"""From the name of an executor to the executor. Nothing is imported that is not named."""

from __future__ import annotations

import importlib

from ..sdk.errors import ConfigurationError
from ..sdk.executor_names import CELERY, LOCAL
from .base import Executor

#: The parts of the distribution that an executor needs, by what must be importable.
CELERY_PACKAGES = ("celery",)


def check_executor(name: str) -> None:
    """Refuse an executor that could not work here, before anything is started.

    Raises:
        ConfigurationError: it does not exist, or a package or a setting that it needs is missing.
    """
    if name == CELERY:
        from .celery.settings import read_broker_settings

        require_celery()
        read_broker_settings()
    elif name != LOCAL:
        _import_class(name)


def make_executor(name: str) -> Executor:
    """Return the executor of this canonical name, not started yet.

    Raises:
        ConfigurationError: as ``check_executor``.
    """
    if name == LOCAL:
        from .local import LocalExecutor

        return LocalExecutor()
    if name == CELERY:
        require_celery()
        from .celery.executor import CeleryExecutor

        return CeleryExecutor()
    try:
        return _import_class(name)()
    except Exception as error:
        raise ConfigurationError(
            f"[core] executor: {name} cannot be made: {type(error).__name__}: {error}"
        ) from error


def require_celery() -> None:
    """Make sure that Celery is there.

    Raises:
        ConfigurationError: the packages are not installed.
    """
    for package in CELERY_PACKAGES:
        try:
            importlib.import_module(package)
        except ImportError as error:
            raise ConfigurationError(
                "[core] executor names CeleryExecutor, which needs the package"
                f" {error.name or package}; install it: pip install 'tradewind[celery]'"
            ) from None


def _import_class(path: str) -> type[Executor]:
    module_name, _, class_name = path.rpartition(".")
    try:
        found = getattr(importlib.import_module(module_name), class_name)
    except Exception as error:
        raise ConfigurationError(
            f"[core] executor names {path}, which cannot be imported:"
            f" {type(error).__name__}: {error}"
        ) from error
    if not (isinstance(found, type) and issubclass(found, Executor)):
        raise ConfigurationError(
            f"[core] executor names {path}, which is no tradewind.executors.base.Executor"
        )
    return found
