"""Which of our objects stands behind which of Airflow's import paths, 1.10 to 3.

``OFFERS`` is kept by object: one row says what of ours is answered where. ``MODULES``, made from
it, is what the finder reads: façade module → name → ``module:attribute``.

A name that needs something which is not built yet does not stand here, so that importing it
fails. Where all of a module is missing, ``names_missing.py`` lets the module itself be found, so
that the error names the name.
"""

from __future__ import annotations

from collections.abc import Mapping

from .names_authoring import AUTHORING
from .names_forwarded import FORWARDED
from .names_missing import NOT_YET
from .names_operators import OPERATORS
from .names_running import RUNNING
from .names_waiting import WAITING

#: (our module below ``tradewind``, names, paths below ``airflow``). A name may be
#: ``TheirName=our_name``; ``*`` is every public name of our module; ``name=`` our module itself.
#: A module that begins with ``:`` is a library's. Paths: ``.`` is ``airflow`` itself.
OFFERS = AUTHORING + OPERATORS + RUNNING + WAITING


def _modules() -> Mapping[str, Mapping[str, str]]:
    modules: dict[str, dict[str, str]] = {"airflow": {}}
    for ours, names, paths in OFFERS:
        our_module = ours[1:] if ours.startswith(":") else f"tradewind.{ours}".rstrip(".")
        for path in paths.split():
            offered = modules.setdefault("airflow" if path == "." else f"airflow.{path}", {})
            for name in names.split():
                theirs, equals, attribute = name.partition("=")
                if theirs == "*":
                    offered["*"] = our_module
                elif equals and not attribute:
                    offered[theirs] = our_module
                else:
                    offered[theirs] = f"{our_module}:{attribute or theirs}"
    for path, names, provider_module in FORWARDED:
        offered = modules.setdefault(f"airflow.{path}", {})
        for name in names.split():
            theirs, _, attribute = name.partition("=")
            offered[theirs] = f"airflow.providers.{provider_module}:{attribute or theirs}"
    # What the standard provider brings with it: the names of the SDK under one more path.
    modules["airflow.providers.common.compat.sdk"] = {
        **modules["airflow.sdk.exceptions"],
        **modules["airflow.sdk.bases.sensor"],
        **modules["airflow.sdk"],
        **modules["airflow.providers.common.compat.sdk"],
    }
    for path in (*modules, *NOT_YET):
        while path := path.rpartition(".")[0]:
            modules.setdefault(path, {})
    for path in NOT_YET:
        modules.setdefault(path, {})
    return modules


MODULES = _modules()
