"""Writes the stubs of the façade: for each of its modules, where each name comes from.

Editors and type checkers cannot follow the finder that makes the façade's modules, so the same
tables are written out as a stub package, ``airflow-stubs`` (PEP 561). It is partial: what
installed provider packages have is found in them.

    python .ci/make_stubs.py            writes the folder anew
    python .ci/make_stubs.py --check    exit code 1 where it differs from the tables
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "airflow-stubs"
HEAD = "# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.\n"


def stub_of(path: str, names: Mapping[str, str], submodules: list[str]) -> str:
    """Return the stub of one module."""
    lines = [HEAD.rstrip()]
    if path == "airflow":
        lines.append("__version__: str")
    for name, target in sorted(names.items()):
        module, _, attribute = target.partition(":")
        if not attribute and name != "*":
            module, _, attribute = module.rpartition(".")
        if name == "*":
            lines.append(f"from {module} import *")
        elif name == attribute:
            lines.append(f"from {module} import {name} as {name}")
        else:  # only a name that stays the same is exported by importing it
            lines.append(f"from {module} import {attribute} as _{name}")
            lines.append(f"{name} = _{name}")
    lines += [f"from . import {one} as {one}" for one in submodules if one not in names]
    return "\n".join(lines) + "\n"


def stubs() -> dict[Path, str]:
    """Return path → text of all stubs."""
    sys.path.insert(0, str(ROOT))
    from airflow.names import MODULES

    found = {FOLDER / "py.typed": "partial\n"}
    for path, names in MODULES.items():
        if path.startswith("airflow.providers") and not names:
            continue  # a folder of installed packages
        prefix = f"{path}."
        below = sorted(
            known[len(prefix) :]
            for known in MODULES
            if known.startswith(prefix) and "." not in known[len(prefix) :] and MODULES[known]
        )
        target = FOLDER.joinpath(*path.split(".")[1:]) / "__init__.pyi"
        found[target] = stub_of(path, names, below if not path.startswith("airflow.prov") else [])
    return found


def main() -> int:
    """Write, or compare."""
    wanted = stubs()
    there = {path for path in FOLDER.rglob("*") if path.is_file()}
    if "--check" in sys.argv:
        wrong = [
            path for path, text in wanted.items() if not path.is_file() or path.read_text() != text
        ]
        wrong += there - wanted.keys()
        for path in sorted(wrong):
            print(f"{path.relative_to(ROOT)} is not as the tables say: run .ci/make_stubs.py")
        return 1 if wrong else 0
    for path in there - wanted.keys():
        path.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
