"""What both versions answer about warnings, plugins, links and users."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from . import answers_v1 as a1
from . import answers_v2 as a2


class DagWarning(a1.Answer, kw_only=True):
    """Something to be mended in a DAG."""

    dag_id: str
    warning_type: str
    message: str
    timestamp: datetime


class DagWarningCollection(a1.CollectionInfo, kw_only=True):
    """One page of a list."""

    dag_warnings: list[DagWarning]


class DAGWarningResponse(a2.Answer, kw_only=True):
    """Something to be mended in a DAG."""

    dag_id: str
    warning_type: str
    message: str
    timestamp: datetime
    dag_display_name: str


class DAGWarningCollectionResponse(a2.Answer, kw_only=True):
    """One page of a list."""

    dag_warnings: list[DAGWarningResponse]
    total_entries: int


class ProviderCollectionV1(a1.CollectionInfo, kw_only=True):
    """One page of a list."""

    providers: list[a1.Provider]


class ClassReference(a1.Answer, kw_only=True):
    """The operator that a link belongs to."""

    module_path: str
    class_name: str


class ExtraLink(a1.Answer, kw_only=True):
    """One link of a task instance."""

    class_ref: ClassReference
    name: str
    href: str | None


class ExtraLinkCollectionV1(a1.CollectionInfo, kw_only=True):
    """All of a list."""

    extra_links: list[ExtraLink]


class ExtraLinkCollectionResponse(a2.Answer, kw_only=True):
    """Name of a link → its address, null: it leads nowhere yet."""

    extra_links: dict[str, str | None]
    total_entries: int


class PluginItemV1(a1.Answer, kw_only=True):
    """A plugin by its file or entry point: none is loaded in the web server."""

    name: str
    source: str | None
    hooks: list[str]
    executors: list[str]
    macros: list[str]
    flask_blueprints: list[str]
    appbuilder_views: list[dict[str, Any]]
    appbuilder_menu_items: list[dict[str, Any]]
    global_operator_extra_links: list[str]
    operator_extra_links: list[str]
    ti_deps: list[str]
    listeners: list[str]
    timetables: list[str]


class PluginCollectionV1(a1.CollectionInfo, kw_only=True):
    """One page of a list."""

    plugins: list[PluginItemV1]


class PluginResponse(a2.Answer, kw_only=True):
    """A plugin by its file or entry point: none is loaded in the web server."""

    name: str
    source: str
    macros: list[str]
    flask_blueprints: list[str]
    fastapi_apps: list[dict[str, Any]]
    fastapi_root_middlewares: list[dict[str, Any]]
    external_views: list[dict[str, Any]]
    react_apps: list[dict[str, Any]]
    appbuilder_views: list[dict[str, Any]]
    appbuilder_menu_items: list[dict[str, Any]]
    global_operator_extra_links: list[str]
    operator_extra_links: list[str]
    listeners: list[str]
    timetables: list[str]


class PluginCollectionResponse(a2.Answer, kw_only=True):
    """One page of a list."""

    plugins: list[PluginResponse]
    total_entries: int
