"""Whether a file of the DAGs folder is to be imported now. Pure: values in, a reason out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ..runtime.task.parse_messages import Inputs

#: A file that keeps failing is tried again ever more rarely: an endless loop costs a core.
FAILURE_BACKOFF_MAX_S = 3600.0


@dataclass(slots=True)
class KnownFile:
    """What the parse manager remembers of one file."""

    relative_path: str
    content_hash: str
    inputs: Inputs = field(default_factory=Inputs)
    has_error: bool = False
    failures: int = 0  # in a row
    #: The error may go away when another file of the folder comes or changes.
    may_be_mended_elsewhere: bool = False
    parsed_s: float = 0.0  # steady time of the last parse
    is_ignored: bool = False
    missing_scans: int = 0
    #: The file as it was when a look at it last found no reason to parse it.
    seen_stamp: tuple[int, int, int] | None = None

    @property
    def depends_on_itself_only(self) -> bool:
        """Whether, once parsed, nothing but a change of the file is a reason to parse it again."""
        inputs = self.inputs
        is_mending = self.has_error or self.may_be_mended_elsewhere
        return not (self.is_ignored or is_mending or inputs.files or inputs.unseen)


def reason_to_parse(
    known: KnownFile | None,
    content_hash: str,
    *,
    fingerprint: Callable[[str], str],
    has_folder_changed: bool,
    reparse_interval_s: float,
    now_s: float,
) -> str:
    """Return why a file is to be parsed now, or an empty text.

    Args:
        content_hash: of the file as it is now.
        fingerprint: what ``recorded_inputs.fingerprint_path`` says of a path.
        has_folder_changed: some Python file of the DAGs folder came, went or changed. What a
            broken file failed to import may be there now.
        reparse_interval_s: for what cannot be seen to change, and first wait after an error.
    """
    if known is None or known.is_ignored:
        return "new"
    if known.content_hash != content_hash:
        return "changed"
    for path, old in known.inputs.files.items():
        if fingerprint(path) != old:
            return f"{path} changed"
    if known.may_be_mended_elsewhere and has_folder_changed:
        return "broken, and another file changed"
    wait_s = reparse_interval_s
    if known.has_error:
        wait_s = min(reparse_interval_s * 2.0**known.failures, FAILURE_BACKOFF_MAX_S)
    elif not known.inputs.unseen:
        return ""
    if now_s - known.parsed_s >= wait_s:
        return "broken, tried again" if known.has_error else "reads what cannot be watched"
    return ""
