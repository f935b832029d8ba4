"""The pool of tasks that name none. It is always there, and cannot be deleted."""

from __future__ import annotations

from typing import Final

DEFAULT_POOL: Final = "default_pool"
