"""How long ago a loop in another process made progress, through memory that both share.

A loop that hangs cannot say so itself: whoever keeps it alive looks at this, has it write down
where it hangs, and starts another (``spec/reliability.md`` R14).
"""

from __future__ import annotations

import mmap
import struct

_SECONDS = struct.Struct("d")


class Progress:
    """One loop's last sign of life. Made before the fork; 0 until the loop has begun."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _SECONDS.size)

    def note(self, now_s: float) -> None:
        """Say, in the loop, that it goes on. *now_s*: a steady time that both processes share."""
        _SECONDS.pack_into(self._memory, 0, now_s)

    @property
    def has_begun(self) -> bool:
        """Whether the loop has said anything yet."""
        return bool(_SECONDS.unpack_from(self._memory, 0)[0])

    def silent_s(self, now_s: float) -> float:
        """Return for how many seconds the loop has said nothing; 0 while it has not begun."""
        (noted_s,) = _SECONDS.unpack_from(self._memory, 0)
        return max(0.0, now_s - noted_s) if noted_s else 0.0

    def reset(self) -> None:
        """Forget the loop that has ended; its successor has not begun."""
        self.note(0.0)
