"""``BaseNotifier``: a message to people, usable wherever a callback is (semantics 5.10)."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any


class BaseNotifier(ABC):
    """Subclass, name the templated attributes, and define ``notify(context)``.

    An instance is a callback: called with the context, it renders its fields and notifies.
    An error is logged and goes no further, as with every callback.
    """

    template_fields: Sequence[str] = ()
    template_ext: Sequence[str] = ()

    def __init__(self, **kwargs: Any) -> None:
        #: Callbacks are called with keywords or with the context alone; both are kept here.
        self.context: Any = None

    @property
    def log(self) -> logging.Logger:
        """The logger of the notifier's class."""
        return logging.getLogger(f"{type(self).__module__}.{type(self).__qualname__}")

    @abstractmethod
    def notify(self, context: Any) -> None:
        """Send the message."""

    async def async_notify(self, context: Any) -> None:
        """Send the message from an event loop."""
        raise NotImplementedError

    def render_template_fields(self, context: Any, jinja_env: Any = None) -> None:
        """Replace every template field by its rendered value, in place."""
        from .templates import environment_for, render_fields

        dag = context.get("dag") if hasattr(context, "get") else None
        render_fields(self, context, jinja_env or environment_for(dag))

    def __call__(self, *args: Any) -> None:
        context = args[0] if len(args) == 1 else args
        self.context = context
        try:
            if hasattr(context, "get"):
                self.render_template_fields(context)
            self.notify(context)
        except Exception:  # a message that cannot be sent must not change the task's end
            self.log.exception("failed to notify")
