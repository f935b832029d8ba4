"""Pools: limits on how many task instances run at once, shared by all DAGs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..database.errors import NotFound
from .input import InvalidInput

if TYPE_CHECKING:
    from ..database.values import PoolRow
    from .services import Services

UNLIMITED = -1
NAME_LENGTH_MAX = 256
#: What the column holds, on every database.
SLOTS_MAX = 2**31 - 1


def list_pools(services: Services) -> Sequence[PoolRow]:
    """Return all pools by name, with the slots that are taken."""
    return sorted(services.store.pools.list(), key=lambda pool: pool.name)


def get_pool(services: Services, name: str) -> PoolRow:
    """Return one pool.

    Raises:
        NotFound: there is no such pool.
    """
    for pool in services.store.pools.list():
        if pool.name == name:
            return pool
    raise NotFound(f"Pool {name} does not exist")


def set_pool(
    services: Services, name: str, slots: int, description: str, *, include_deferred: bool = False
) -> None:
    """Create a pool, or change it.

    Args:
        slots: 0 to 2147483647; -1: no limit.

    Raises:
        InvalidInput: the name or the number is not allowed.
    """
    if not name.strip() or len(name) > NAME_LENGTH_MAX:
        raise InvalidInput(f"A pool's name has 1 to {NAME_LENGTH_MAX} characters")
    if not UNLIMITED <= slots <= SLOTS_MAX:
        raise InvalidInput(f"A pool has 0 to {SLOTS_MAX} slots, or -1 for no limit, not {slots}")
    services.store.pools.set(
        name,
        slots,
        description,
        include_deferred=include_deferred,
        now=services.now(),
        actor=services.actor,
    )


def delete_pool(services: Services, name: str) -> None:
    """Delete a pool.

    Raises:
        NotFound: there is no such pool.
        NotAllowed: it is the default pool.
    """
    get_pool(services, name)
    services.store.pools.delete(name, now=services.now(), actor=services.actor)


def export_pools(services: Services) -> dict[str, dict[str, Any]]:
    """Return name -> slots, description, include_deferred of all pools."""
    return {
        pool.name: {
            "slots": pool.slots,
            "description": pool.description,
            "include_deferred": pool.include_deferred,
        }
        for pool in list_pools(services)
    }


def import_pools(services: Services, entries: Any) -> int:
    """Create or change all pools of what ``export_pools`` returned; return their number.

    Raises:
        InvalidInput: an entry is no pool; then nothing is written.
    """
    if not isinstance(entries, Mapping):
        raise InvalidInput("The file must hold one JSON object of pools")
    bad = [str(name) for name, entry in entries.items() if not _is_pool(entry)]
    if bad:
        raise InvalidInput(f"Failed to update pool(s): {', '.join(bad)}")
    for name, entry in entries.items():
        set_pool(
            services,
            str(name),
            entry["slots"],
            str(entry["description"]),
            include_deferred=bool(entry.get("include_deferred", False)),
        )
    return len(entries)


def _is_pool(entry: Any) -> bool:
    return (
        isinstance(entry, Mapping)
        and isinstance(entry.get("slots"), int)
        and "description" in entry
    )
