"""A button beside a task that leads elsewhere."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from typing import Any, ClassVar

_PLUGINS = f"{__package__}.plugins"


class BaseOperatorLink(ABC):
    """Subclass and list in ``operator_extra_links``."""

    operators: ClassVar[list[Any]] = []

    @property
    @abstractmethod
    def name(self) -> str:
        """What the button says."""

    @property
    def xcom_key(self) -> str:
        """The XCom key under which the link is kept."""
        return f"_link_{type(self).__name__}"

    @abstractmethod
    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Return the URL for one task instance, "" where there is none."""


def links_of(operator_class: type) -> dict[str, BaseOperatorLink]:
    """Return the links of an operator's class by name: a plugin's replaces the class's own."""
    found = {link.name: link for link in getattr(operator_class, "operator_extra_links", ())}
    loaded = sys.modules.get(_PLUGINS)  # not imported: without plugins nobody pays for them
    if loaded is None:
        return found
    plugins = loaded.known_plugins()
    for link in plugins.brought("global_operator_extra_links"):
        found[link.name] = link
    for link in plugins.brought("operator_extra_links"):
        if any(one in operator_class.__mro__ for one in link.operators):
            found[link.name] = link
    return found
