"""The text of an import error: what happened, and where in the user's own files."""

from __future__ import annotations

import traceback
from pathlib import Path

from .outcome import storable
from .parse_messages import ParseRequest

#: An error's text is a page's line, not a dump.
ERROR_LETTERS_MAX = 50_000

_OWN_FOLDER = str(Path(__file__).parents[2])


def describe_error(error: BaseException, request: ParseRequest) -> str:
    """Return an import error as people should read it.

    Frames of ours above the DAG file and those of the import system are left out. Of the rest,
    the frame in the DAG file and the last ``traceback_depth`` are shown.
    """
    if isinstance(error, SystemExit):
        code = "" if error.code is None else f"({error.code!r})"
        said = f"the file called sys.exit{code} while it was imported; no DAG of it was loaded"
        return _with_traceback(error, request, said)
    if type(error).__name__ == "ImportTimeout":
        return _with_traceback(error, request, str(error))
    return _with_traceback(error, request, "")


def _with_traceback(error: BaseException, request: ParseRequest, headline: str) -> str:
    summary = traceback.TracebackException.from_exception(error, compact=True)
    if not request.shows_tracebacks:
        text = headline or "".join(summary.format_exception_only()).strip()
        return storable(text[:ERROR_LETTERS_MAX], ERROR_LETTERS_MAX)
    _trim(summary, request)
    if headline:
        where = "".join(summary.stack.format()).rstrip()
        text = f"{headline}\nTraceback (most recent call last):\n{where}" if where else headline
    else:
        text = "".join(summary.format()).strip()
    return storable(text[:ERROR_LETTERS_MAX], ERROR_LETTERS_MAX)


def _trim(summary: traceback.TracebackException, request: ParseRequest) -> None:
    frames = list(summary.stack)
    within = (request.path, f"{request.path}/")  # the file, or a file of the archive
    first = next(
        (i for i, f in enumerate(frames) if f.filename == within[0] or within[1] in f.filename),
        None,
    )
    if first is not None:
        frames = frames[first:]
        depth = max(1, request.traceback_depth)
        frames = [f for f in frames if not f.filename.startswith("<frozen importlib")]
        if frames[-1].filename.endswith("/runtime/task/parse.py"):  # where we interrupt it
            frames.pop()
        frames = frames[:1] + frames[1:][-depth:]
    else:  # a syntax error has no frame in the file; what is left is ours
        frames = [f for f in frames if not _is_ours(f.filename)]
    summary.stack = traceback.StackSummary.from_list(frames)
    for chained in (summary.__cause__, summary.__context__):
        if chained is not None:
            _trim(chained, request)


def _is_ours(filename: str) -> bool:
    return filename.startswith((f"{_OWN_FOLDER}/sdk/", f"{_OWN_FOLDER}/runtime/", "<frozen"))
