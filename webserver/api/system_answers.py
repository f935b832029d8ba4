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


class ExtraLinkCollectionResponse(a2.Answer, kw_only=True):
    """Name of a link → its address, null: it leads nowhere yet."""

    extra_links: dict[str, str | None]
    total_entries: int


class PluginCollectionResponse(a2.Answer, kw_only=True):
    """One page of a list."""

    plugins: list[dict[str, Any]]
    total_entries: int
