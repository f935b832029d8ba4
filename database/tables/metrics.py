"""Counters that ``/metrics`` shows, and how far the event log has been counted."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Integer, String, Table

from .base import metadata

#: ``labels``: a JSON object, its keys sorted.
metric_counter = Table(
    "metric_counter",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("labels", String(600), primary_key=True),
    Column("value", Float, nullable=False),
)

#: One row. Whoever moves it on has counted what lies between, and nobody else does.
metric_position = Table(
    "metric_position",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("event_id", BigInteger, nullable=False),
)
