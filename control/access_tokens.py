"""Personal access tokens: they stand for a user towards the API, until they expire."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from .input import InvalidInput
from .users import get_user

if TYPE_CHECKING:
    from ..database.access_tokens import AccessTokenRow
    from .services import Services

DAYS_DEFAULT = 30
DAYS_MAX = 366
TOKENS_MAX = 100


def create_token(
    services: Services, username: str, name: str, *, days: float = DAYS_DEFAULT
) -> tuple[int, str]:
    """Make a token; return its number and its text, which cannot be shown again.

    Raises:
        NotFound: there is no such user.
        InvalidInput: the name is empty, the time too long, or there are too many.
    """
    if not name.strip() or len(name) > 250 or not name.isprintable():
        raise InvalidInput("A token needs a name that says what it is for")
    if not 0 < days <= DAYS_MAX:
        raise InvalidInput(f"A token lives for more than 0 and at most {DAYS_MAX} days")
    user = get_user(services, username=username)
    if not user.is_active:
        raise InvalidInput(f'User "{username}" is not active')
    if len(services.store.access_tokens.list(user.id)) >= TOKENS_MAX:
        raise InvalidInput(f"A user has at most {TOKENS_MAX} tokens; revoke one first")
    now = services.now()
    return services.store.access_tokens.create(
        user.id, name.strip(), expires_at=now + timedelta(days=days), now=now, actor=services.actor
    )


def list_tokens(services: Services, username: str | None = None) -> list[AccessTokenRow]:
    """Return the tokens of a user, or of all users, newest first.

    Raises:
        NotFound: there is no such user.
    """
    user_id = None if username is None else get_user(services, username=username).id
    return services.store.access_tokens.list(user_id)


def revoke_token(services: Services, token_id: int, *, username: str | None = None) -> None:
    """End a token. ``username``: only if it is this user's.

    Raises:
        NotFound: there is no such token, or it is somebody else's.
    """
    user_id = None if username is None else get_user(services, username=username).id
    services.store.access_tokens.revoke(
        token_id, user_id=user_id, now=services.now(), actor=services.actor
    )
