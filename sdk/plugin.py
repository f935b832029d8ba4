"""``AirflowPlugin``: the class by which plugin modules tell what they bring.

Macros, listeners and links of operators are taken from it. Timetables and weight strategies need
no telling here: a DAG that uses one names its class, and is loaded where that class is. What is
meant for Airflow's web server and executors is listed by ``tradewind plugins``, and not served.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar


class AirflowPlugin:
    """Derive from it, give it a ``name``, and list what the plugin brings."""

    name: ClassVar[str | None] = None
    timetables: Sequence[Any] = ()
    priority_weight_strategies: Sequence[Any] = ()
    macros: Sequence[Any] = ()
    operators: Sequence[Any] = ()
    hooks: Sequence[Any] = ()
    executors: Sequence[Any] = ()
    listeners: Sequence[Any] = ()
    admin_views: Sequence[Any] = ()
    menu_links: Sequence[Any] = ()
    flask_blueprints: Sequence[Any] = ()
    fastapi_apps: Sequence[Any] = ()
    fastapi_root_middlewares: Sequence[Any] = ()
    external_views: Sequence[Any] = ()
    react_apps: Sequence[Any] = ()
    appbuilder_views: Sequence[Any] = ()
    appbuilder_menu_items: Sequence[Any] = ()
    global_operator_extra_links: Sequence[Any] = ()
    operator_extra_links: Sequence[Any] = ()
    ti_deps: Sequence[Any] = ()

    @classmethod
    def validate(cls) -> None:
        """Check the name.

        Raises:
            ValueError: there is none.
        """
        if not cls.name:
            raise ValueError("Your plugin needs a name.")

    @classmethod
    def on_load(cls, *args: Any, **kwargs: Any) -> None:
        """Do what the plugin wants done when it is loaded. For subclasses."""
