"""Where the installed commands begin: Ctrl-C is minded before anything else is imported."""

from typing import NoReturn


def main() -> NoReturn:
    """Run one command and end the process with its exit code; 130 after Ctrl-C."""
    import sys

    try:
        from .main import main as run_command

        run_command()
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        sys.exit(130)
