"""DAGs that users have marked for themselves."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Table

from .base import RowId, metadata

dag_favorite = Table(
    "dag_favorite",
    metadata,
    Column("user_id", RowId, ForeignKey("tw_user.id", ondelete="CASCADE"), primary_key=True),
    Column("dag_id", ForeignKey("dag.dag_id", ondelete="CASCADE"), primary_key=True, index=True),
)
