"""Who called which command: an event for each command that changes something."""

from __future__ import annotations

import getpass
import os
import re
import socket
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..control.services import Services

MASK = "********"
_SECRET_OPTION = re.compile(
    r"-p$|--(password|conn-password|conn-uri|conn-extra|conn-json|conf|env-vars)$"
)
#: The value itself is an argument: ``variables set KEY VALUE``.
_SECRET_POSITION = {"variables set": 3}


def user_name() -> str:
    """Return the name of the user of the operating system, "unknown" where it has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "unknown"


def masked(arguments: Sequence[str]) -> list[str]:
    """Return the command line with the values of secret options and arguments replaced."""
    hidden_position = _SECRET_POSITION.get(" ".join(arguments[:2]))
    shown: list[str] = []
    is_next_secret = False
    for position, argument in enumerate(arguments):
        option, equals, _ = argument.partition("=")
        if is_next_secret or position == hidden_position:
            shown.append(MASK)
            is_next_secret = False
        elif equals and _SECRET_OPTION.match(option):
            shown.append(f"{option}={MASK}")
        else:
            is_next_secret = bool(_SECRET_OPTION.match(argument))
            shown.append(argument)
    return shown


def record(services: Services, name: str) -> None:
    """Write the event ``cli_<name>`` with user, host and the full command line."""
    services.store.events.record(
        f"cli_{name}",
        now=services.clock.now(),
        actor=f"user:{user_name()}",
        extra={
            "host_name": socket.gethostname(),
            "full_command": " ".join(["tradewind", *masked(sys.argv[1:])]),
            "pid": os.getpid(),
        },
    )
