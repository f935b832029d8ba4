"""Personal access tokens. Ours, in version 2 only."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from ....control import access_tokens
from ....control.access import AccessDenied
from ..bodies import Body, Name
from ..call import Call
from ..errors import ApiError
from ..operation import Face, operation

Days = Annotated[float, Meta(gt=0, le=access_tokens.DAYS_MAX)]


class TokenBody(Body, kw_only=True):
    """A new token of the user who asks."""

    name: Name
    days: Days = access_tokens.DAYS_DEFAULT


class Token(Struct):
    """A personal token, without what it is known by."""

    id: int
    name: str
    username: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None


class NewToken(Struct):
    """A new token: ``access_token`` is shown this once."""

    id: int
    name: str
    access_token: str


class TokenCollection(Struct):
    """The tokens of the user who asks."""

    tokens: list[Token]
    total_entries: int


@operation(
    "GET", "read", v2=Face("get_tokens", "/tokens", answer=TokenCollection, tag="AccessToken")
)
def get_tokens(call: Call) -> TokenCollection:
    """List your personal tokens."""
    found = access_tokens.list_tokens(call.services, _name(call))
    rows = [
        Token(one.id, one.name, one.username, one.created_at, one.expires_at, one.last_used_at)
        for one in found
    ]
    return TokenCollection(tokens=rows, total_entries=len(rows))


@operation(
    "POST",
    "read",
    v2=Face(
        "post_token",
        "/tokens",
        body=TokenBody,
        answer=NewToken,
        status=201,
        errors=(400,),
        tag="AccessToken",
    ),
)
def post_token(call: Call) -> NewToken:
    """Make a personal token; it may do what you may."""
    number, text = access_tokens.create_token(
        call.services, _name(call), call.body.name, days=call.body.days
    )
    return NewToken(id=number, name=call.body.name, access_token=text)


@operation(
    "DELETE",
    "read",
    v2=Face("delete_token", "/tokens/{token_id}", status=204, errors=(404,), tag="AccessToken"),
)
def delete_token(call: Call) -> None:
    """Revoke one of your tokens."""
    number = str(call.path["token_id"])
    if not number.isascii() or not number.isdigit() or len(number) > 18:
        raise ApiError(404, "There is no such token.")
    access_tokens.revoke_token(call.services, int(number), username=_name(call))


def _name(call: Call) -> str:
    if call.user is None or not call.user.id:
        raise AccessDenied("Sign in first: a token belongs to a user.")
    return call.user.username
