"""Variables. Version 1 overwrites by POST, version 2 refuses a key that is taken."""

from __future__ import annotations

import json
import re
from typing import Any

from msgspec import UNSET, UnsetType

from ....control import variables as verbs
from ....database.errors import AlreadyExists, NotFound
from ....database.values import VariableRow
from ....sdk.secrets_masker import is_secret_name
from .. import answers_v1 as a1
from .. import answers_v2 as a2
from .. import bodies
from ..call import Call
from ..errors import ApiError
from ..operation import PAGE, Face, Query, operation, order, patterns
from .dags import check_mask
from .paged import page_of

_MASK = Query("update_mask", is_list=True)
#: Everything but control characters; a path of dots would be a trap for who uses it as a file.
_KEY = re.compile(r"(?!.*\.\.)[^\x00-\x1f\x7f]{1,250}")


@operation(
    "GET",
    "operate",
    v1=Face(
        "get_variables",
        "/variables",
        (*PAGE, order(is_list=False)),
        answer=a1.VariableCollection,
        tag="Variable",
    ),
    v2=Face(
        "get_variables",
        "/variables",
        (*PAGE, order(), *patterns("variable_key")),
        answer=a2.VariableCollectionResponse,
        tag="Variable",
    ),
)
def get_variables(call: Call) -> Any:
    """List variables."""
    rows = verbs.list_variables(call.services)
    page, total = page_of(call, rows, {"key": "key", "id": "key", "value": "key"}, "variable_key")
    shown = [_show(call, row, is_item=True) for row in page]
    if call.version == 1:
        return a1.VariableCollection(variables=shown, total_entries=total)
    return a2.VariableCollectionResponse(variables=shown, total_entries=total)


def _show(call: Call, row: VariableRow, *, is_item: bool = False) -> Any:
    if call.version == 1 and is_item:
        return a1.VariableCollectionItem(key=row.key, description=row.description)
    value = verbs.MASK if is_secret_name(row.key) and row.value else row.value
    if call.version == 1:
        return a1.Variable(key=row.key, description=row.description, value=_masked_json(value))
    return a2.VariableResponse(
        key=row.key,
        value=_masked_json(value),
        description=row.description or None,
        is_encrypted=True,
        team_name=None,
    )


def _masked_json(value: str) -> str:
    """Hide secret-looking keys inside a value that is a JSON object or list."""
    from ....sdk.secrets_masker import redact

    try:
        plain = json.loads(value)
    except (ValueError, RecursionError):
        return value
    if not isinstance(plain, dict | list):
        return value
    redacted = redact(plain)
    return value if redacted == plain else json.dumps(redacted)


def _find(call: Call, key: str) -> VariableRow:
    row = call.store.variables.get(key)
    if row is None:
        raise NotFound(f"There is no variable {key!r}.")
    return row


@operation(
    "GET",
    "operate",
    v1=Face(
        "get_variable",
        "/variables/{variable_key}",
        answer=a1.Variable,
        errors=(404,),
        tag="Variable",
    ),
    v2=Face(
        "get_variable",
        "/variables/{variable_key}",
        answer=a2.VariableResponse,
        errors=(404,),
        tag="Variable",
    ),
)
def get_variable(call: Call) -> Any:
    """Show one variable; the value of a secret-looking key is masked."""
    return _show(call, _find(call, str(call.path["variable_key"])))


@operation(
    "POST",
    "operate",
    v1=Face(
        "post_variables",
        "/variables",
        body=bodies.VariableV1,
        answer=a1.Variable,
        errors=(400,),
        tag="Variable",
    ),
    v2=Face(
        "post_variable",
        "/variables",
        body=bodies.VariableV2,
        answer=a2.VariableResponse,
        status=201,
        errors=(409,),
        tag="Variable",
    ),
)
def post_variable(call: Call) -> Any:
    """Create a variable."""
    body = call.body
    for name in ("key", "value"):
        if isinstance(getattr(body, name), UnsetType):
            raise ApiError(400, f"{{'{name}': ['Missing data for required field.']}}")
    if call.version == 2 and call.store.variables.get(body.key) is not None:
        raise AlreadyExists(f"The variable {body.key!r} already exists.")
    _check_key(body.key)
    description = "" if isinstance(body.description, UnsetType) else body.description or ""
    verbs.set_variable(call.services, body.key, _text(body.value), description=description)
    return _show(call, _find(call, body.key))


def _check_key(key: str) -> None:
    if not _KEY.fullmatch(key):
        raise ApiError(400, f"{key!r} cannot be the key of a variable.")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


@operation(
    "PATCH",
    "operate",
    v1=Face(
        "patch_variable",
        "/variables/{variable_key}",
        (_MASK,),
        body=bodies.VariableV1,
        answer=a1.Variable,
        errors=(400, 404),
        tag="Variable",
    ),
    v2=Face(
        "patch_variable",
        "/variables/{variable_key}",
        (_MASK,),
        body=bodies.VariableV2,
        answer=a2.VariableResponse,
        errors=(400, 404),
        tag="Variable",
    ),
)
def patch_variable(call: Call) -> Any:
    """Change value or description of a variable. A value of ``***`` keeps the stored one."""
    key, body = str(call.path["variable_key"]), call.body
    mask = check_mask(call, {"key", "value", "description"})
    row = _find(call, key)
    if not isinstance(body.key, UnsetType) and body.key != key:
        raise ApiError(400, "The key in the body is not the one in the address.")
    value = row.value
    is_kept = isinstance(body.value, UnsetType) or body.value == verbs.MASK
    if "value" in mask and not is_kept:
        value = _text(body.value)
    description = row.description
    if "description" in mask and body.description is not UNSET:
        description = body.description or ""
    verbs.set_variable(call.services, key, value, description=description)
    return _show(call, _find(call, key))


@operation(
    "DELETE",
    "operate",
    v1=Face(
        "delete_variable",
        "/variables/{variable_key}",
        status=204,
        errors=(404,),
        tag="Variable",
    ),
    v2=Face(
        "delete_variable",
        "/variables/{variable_key}",
        status=204,
        errors=(404,),
        tag="Variable",
    ),
)
def delete_variable(call: Call) -> None:
    """Delete a variable."""
    key = str(call.path["variable_key"])
    if not verbs.delete_variable(call.services, key):
        raise NotFound(f"There is no variable {key!r}.")
