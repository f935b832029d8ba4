"""Packages that are installed beside Tradewind: providers, and plugins."""

from __future__ import annotations

from importlib.metadata import Distribution, distributions
from typing import Any

from ....sdk.plugins import plugin_entry_points, plugin_files, plugins_folder
from .. import answers_v1 as a1
from .. import answers_v2 as a2
from .. import system_answers as s
from ..call import Call
from ..operation import PAGE, Face, operation

PROVIDER_ENTRY = "apache_airflow_provider"


@operation(
    "GET",
    "operate",
    v1=Face("get_providers", "/providers", answer=s.ProviderCollectionV1, tag="Provider"),
    v2=Face(
        "get_providers", "/providers", PAGE, answer=a2.ProviderCollectionResponse, tag="Provider"
    ),
)
def get_providers(call: Call) -> Any:
    """List provider packages, by what they say of themselves; none of their code is run."""
    found = sorted(
        (one for one in distributions() if one.entry_points.select(group=PROVIDER_ENTRY)),
        key=lambda one: one.name,
    )
    if call.version == 1:
        items = [
            a1.Provider(package_name=one.name, description=_summary(one), version=one.version)
            for one in found
        ]
        return s.ProviderCollectionV1(providers=items, total_entries=len(items))
    limit, offset = call.window()
    shown = [
        a2.ProviderResponse(
            package_name=one.name,
            description=_summary(one),
            version=one.version,
            documentation_url=_documentation(one),
        )
        for one in found[offset : offset + limit]
    ]
    return a2.ProviderCollectionResponse(providers=shown, total_entries=len(found))


@operation(
    "GET",
    "operate",
    v1=Face("get_plugins", "/plugins", PAGE, answer=s.PluginCollectionV1, tag="Plugin"),
    v2=Face("get_plugins", "/plugins", PAGE, answer=s.PluginCollectionResponse, tag="Plugin"),
)
def get_plugins(call: Call) -> Any:
    """List plugins by file and entry point; what they bring is known where they are loaded."""
    folder = plugins_folder()
    found = [(path.stem, str(path.relative_to(folder))) for path in plugin_files(folder)]
    found += [(one.name, one.value) for one in plugin_entry_points()]
    limit, offset = call.window()
    kind = s.PluginItemV1 if call.version == 1 else s.PluginResponse
    lists = set(kind.__struct_fields__) - {"name", "source"}
    shown: list[Any] = [
        kind(name=name, source=source, **{what: [] for what in lists})
        for name, source in sorted(found)[offset : offset + limit]
    ]
    if call.version == 1:
        return s.PluginCollectionV1(plugins=shown, total_entries=len(found))
    return s.PluginCollectionResponse(plugins=shown, total_entries=len(found))


def _summary(one: Distribution) -> str:
    return str((one.metadata.get_all("Summary") or [""])[0])


def _documentation(one: Distribution) -> str | None:
    for line in one.metadata.get_all("Project-URL") or ():
        label, _, address = str(line).partition(",")
        if label.strip().lower() == "documentation":
            return address.strip()
    return None
