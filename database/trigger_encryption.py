"""Arguments of triggers are encrypted where there is a key: they may hold secrets."""

from __future__ import annotations

from .encryption import Cipher


def encrypted(kwargs: str, cipher: Cipher) -> str:
    """Return a trigger's arguments (JSON text) as they are stored."""
    return cipher.encrypt(kwargs) if cipher.has_key else kwargs


def decrypted(kwargs: str, cipher: Cipher) -> str:
    """Return the JSON text of a trigger's arguments.

    Raises:
        DatabaseError: they were encrypted with another key.
    """
    return kwargs if kwargs.startswith("{") else cipher.decrypt(kwargs)
