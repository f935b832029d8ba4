"""``rotate-fernet-key``: encrypts all that is stored with the first key."""

from __future__ import annotations

import click

from .command import command, services


@command("rotate-fernet-key")
def rotate_fernet_key() -> None:
    """Encrypt variables, connections and triggers anew with the first key of [core] fernet_key.

    Put the new key in front of the old one ("new,old"), restart, run this, and take the old one
    out. Nothing is changed where one secret cannot be read with any of the keys.
    """
    with services("rotate_fernet_key") as opened:
        counts = opened.store.encryption.rotate(now=opened.now(), actor=opened.actor)
    shown = ", ".join(f"{count} {name}" for name, count in counts.items())
    click.echo(f"Encrypted with the first key: {shown}.")
