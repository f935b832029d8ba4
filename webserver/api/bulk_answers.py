"""What version 2 answers to a bulk request."""

from __future__ import annotations

from typing import Any

from msgspec import field

from .answers_v2 import Answer


class BulkActionResponse(Answer, kw_only=True):
    """What became of the entities of one kind of act."""

    success: list[str] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)


class BulkResponse(Answer, kw_only=True):
    """What became of all; null: there was no such act."""

    create: BulkActionResponse | None = None
    update: BulkActionResponse | None = None
    delete: BulkActionResponse | None = None


class ClearPartitionsResponse(Answer, kw_only=True):
    """How much was cleared."""

    dag_runs_cleared: int
    task_instances_cleared: int
    dry_run: bool
