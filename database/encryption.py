"""Fernet encryption of variables and connections. The key stands outside the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import DatabaseError

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet


class Cipher:
    """Encrypts with the first key, decrypts with any of them (comma-separated: rotation)."""

    def __init__(self, keys: str) -> None:
        """*keys* empty: nothing can be stored. Nothing is imported before it is needed."""
        self._keys = [key.strip() for key in keys.split(",") if key.strip()]
        self._fernet: MultiFernet | None = None

    @property
    def has_key(self) -> bool:
        """Whether anything can be encrypted."""
        return bool(self._keys)

    def encrypt(self, text: str) -> str:
        """Return a token that only the key opens.

        Raises:
            DatabaseError: there is no key, or it is not one.
        """
        return self._load().encrypt(text.encode()).decode()

    def decrypt(self, token: str, what: str = "A stored secret") -> str:
        """Return the text of a token. ``what`` names it in the error: "The variable 'k'".

        Raises:
            DatabaseError: it was encrypted with another key.
        """
        from cryptography.fernet import InvalidToken

        try:
            return self._load().decrypt(token.encode()).decode()
        except InvalidToken as error:
            raise DatabaseError(
                f"{what} cannot be decrypted: [core] fernet_key is not the key that it was "
                "encrypted with."
            ) from error

    def _load(self) -> MultiFernet:
        if self._fernet is None:
            from cryptography.fernet import Fernet, MultiFernet

            if not self._keys:
                raise DatabaseError("Secrets cannot be stored: [core] fernet_key is empty.")
            try:
                self._fernet = MultiFernet([Fernet(key) for key in self._keys])
            except ValueError as error:
                raise DatabaseError(
                    "[core] fernet_key is not a Fernet key: 32 bytes, URL-safe base64."
                ) from error
        return self._fernet
