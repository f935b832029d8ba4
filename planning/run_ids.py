"""Ids of dag runs: how they are made, and which ones a person may choose.

Source: ``spec/semantics.md`` section 4.7, and row 4 of section 11.
"""

from __future__ import annotations

import re
import secrets
from datetime import datetime

from ..sdk.states import RunType

_SUFFIX_BYTES = 4  # eight hexadecimal digits

#: Prefix of an id → the type of run that it stands for; Airflow 2 says "dataset".
_TYPE_BY_PREFIX = {
    "scheduled": RunType.SCHEDULED,
    "manual": RunType.MANUAL,
    "backfill": RunType.BACKFILL,
    "dataset_triggered": RunType.ASSET_TRIGGERED,
    "asset_triggered": RunType.ASSET_TRIGGERED,
    "operator_triggered": RunType.OPERATOR_TRIGGERED,
    "asset_materialization": RunType.ASSET_MATERIALIZATION,
}


def generate_run_id(
    run_type: RunType,
    dialect: str,
    logical_date: datetime | None,
    run_after: datetime,
    *,
    suffix: str | None = None,
) -> str:
    """Return the id of a run, stamped with its logical date ("2") or its run time ("3").

    Args:
        suffix: appended after ``_``. None: eight random characters where the stamp alone does
            not tell two runs apart (dialect "3": asset runs, manual ones without logical date).
    """
    # TriggerDagRunOperator has a run type of its own in Airflow 3, but its ids say "manual".
    prefix = "manual" if run_type is RunType.OPERATOR_TRIGGERED else run_type.value
    if run_type is RunType.ASSET_TRIGGERED and dialect == "2":
        prefix = "dataset_triggered"
    stamp = logical_date if dialect == "2" and logical_date is not None else run_after
    run_id = f"{prefix}__{stamp.isoformat()}"
    if suffix is None:
        is_by_hand = prefix == "manual" or run_type is RunType.ASSET_MATERIALIZATION
        is_ambiguous = run_type is RunType.ASSET_TRIGGERED or (is_by_hand and logical_date is None)
        suffix = secrets.token_hex(_SUFFIX_BYTES) if dialect == "3" and is_ambiguous else ""
    return f"{run_id}_{suffix}" if suffix else run_id


def infer_run_type(run_id: str) -> RunType:
    """Return the run type that an id's prefix tells, manual where it tells none."""
    prefix, separator, _ = run_id.partition("__")
    return _TYPE_BY_PREFIX.get(prefix, RunType.MANUAL) if separator else RunType.MANUAL


def check_run_id(run_id: str, run_type: RunType, pattern: str) -> None:
    """Check an id that a person chose.

    Args:
        pattern: setting ``[scheduler] allowed_run_id_pattern``; ids made by us always pass.

    Raises:
        ValueError: the id belongs to another type of run, or has characters that it may not.
    """
    inferred = infer_run_type(run_id)
    if run_type is RunType.MANUAL and inferred is not RunType.MANUAL:
        raise ValueError(
            f"a manual run cannot be called {run_id!r}: that prefix is for {inferred.value} runs"
        )
    if inferred.value == run_type.value and run_id.partition("__")[0] in _TYPE_BY_PREFIX:
        ours = re.fullmatch(r"\w+__\d{4}-\d\d-\d\dT[\d:.]+[+-]\d\d:\d\d(_\w+)?", run_id)
        if ours:
            return
    if ".." in run_id or not re.match(pattern, run_id):
        raise ValueError(f"the run id {run_id!r} contains '..' or does not match {pattern!r}")
