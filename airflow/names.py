"""Which of our objects stands behind which of Airflow's import paths, 1.10 to 3.

``OFFERS`` is kept by object: one row says what of ours is answered where. ``MODULES``, made from
it, is what the finder reads: façade module → name → ``module:attribute``.

A name that needs something which is not built yet does not stand here, so that importing it
fails; where all of a module is missing, ``NOT_YET`` lets the module itself be found, and the
error names the name.
"""

from __future__ import annotations

from collections.abc import Mapping

from .names_authoring import AUTHORING
from .names_forwarded import FORWARDED
from .names_operators import OPERATORS
from .names_running import RUNNING

#: (our module below ``tradewind``, names, paths below ``airflow``). A name may be
#: ``TheirName=our_name``; ``*`` is every public name of our module; ``name=`` our module itself.
#: A module that begins with ``:`` is a library's. Paths: ``.`` is ``airflow`` itself.
OFFERS = AUTHORING + OPERATORS + RUNNING

#: Modules of Airflow of which Tradewind has nothing yet.
NOT_YET: frozenset[str] = frozenset(
    f"airflow.{path}"
    for path in [
        "contrib.operators",
        "contrib.sensors",
        "contrib.sensors.file_sensor",
        "contrib.hooks",
        "io.path",
        "operators.email",
        "operators.sensors",
        "operators.subdag",
        "plugins_manager",
        "providers.standard.operators.hitl",
        "providers.standard.sensors.bash",
        "providers.standard.sensors.date_time",
        "providers.standard.sensors.external_task",
        "providers.standard.sensors.filesystem",
        "providers.standard.sensors.python",
        "providers.standard.sensors.time",
        "providers.standard.sensors.time_delta",
        "providers.standard.sensors.weekday",
        "providers_manager",
        "sdk.bases.sensor",
        "sdk.definitions.deadline",
        "sensors",
        "sensors.base",
        "sensors.base_sensor_operator",
        "sensors.bash",
        "sensors.date_time",
        "sensors.external_task",
        "sensors.external_task_sensor",
        "sensors.filesystem",
        "sensors.http_sensor",
        "sensors.python",
        "sensors.sql",
        "sensors.sql_sensor",
        "sensors.time_delta",
        "sensors.time_sensor",
        "sensors.weekday",
        "triggers.base",
        "triggers.external_task",
        "triggers.file",
        "triggers.temporal",
    ]
)


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
    for path in (*modules, *NOT_YET):
        while path := path.rpartition(".")[0]:
            modules.setdefault(path, {})
    for path in NOT_YET:
        modules.setdefault(path, {})
    return modules


MODULES = _modules()
