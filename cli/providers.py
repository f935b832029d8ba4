"""``providers``: the provider packages that are installed, and what they bring."""

from __future__ import annotations

import re
from typing import Any

import click

from .command import command, output_option
from .lazy_group import LazyGroup
from .output import print_rows

providers = LazyGroup(
    "providers",
    {
        "list": ("providers:list_", "List the installed provider packages."),
        "get": ("providers:get", "Show one provider package."),
        "hooks": ("providers:hooks", "List the hooks for types of connections."),
        "executors": ("providers:executors", "List the executors."),
        "notifications": ("providers:notifications", "List the notifiers."),
        "secrets": ("providers:secrets", "List the secrets backends."),
    },
    help="Provider packages that are installed.",
)


@command("list")
@output_option
def list_(output: str) -> None:
    """List the installed provider packages."""
    from ..sdk.providers_manager import providers as installed

    rows = [
        {
            "package_name": name,
            "description": _plain(str(info.data.get("description", ""))),
            "version": info.version,
        }
        for name, info in installed().items()
    ]
    print_rows(rows, output)


@command("get")
@click.argument("provider_name")
@click.option("-f", "--full", is_flag=True, help="All that the package says of itself, as JSON.")
@output_option
def get(provider_name: str, full: bool, output: str) -> None:
    """Show the package PROVIDER_NAME."""
    from ..sdk.providers_manager import providers as installed

    info = installed().get(provider_name)
    if info is None:
        raise click.ClickException(f"No such provider installed: {provider_name}")
    if full:
        import json

        click.echo(json.dumps(info.data, indent=4, default=str))
        return
    print_rows([{"Provider": provider_name, "Version": info.version}], output)


@command("hooks")
@output_option
def hooks(output: str) -> None:
    """List the hooks of provider packages, by type of connection."""
    from ..sdk.providers_manager import hooks as found

    rows: list[dict[str, Any]] = [
        {
            "connection_type": conn_type,
            "class": info.hook_class_name,
            "conn_id_attribute_name": info.connection_id_attribute_name,
            "package_name": info.package_name,
            "hook_name": info.hook_name,
        }
        for conn_type, info in sorted(found().items())
    ]
    print_rows(rows, output)


@command("executors")
@output_option
def executors(output: str) -> None:
    """List the executors of provider packages; the Local and the Celery executor need none."""
    _print_classes("executor_class_names", "executors", output)


@command("notifications")
@output_option
def notifications(output: str) -> None:
    """List the notifiers of provider packages."""
    _print_classes("notification_class_name", "notifications", output)


@command("secrets")
@output_option
def secrets(output: str) -> None:
    """List the secrets backends of provider packages."""
    _print_classes("secrets_backend_class_name", "secrets-backends", output)


def _print_classes(column: str, kind: str, output: str) -> None:
    from ..sdk.providers_manager import described

    print_rows([{column: path} for _, path in described(kind)], output)


def _plain(description: str) -> str:
    """Return a description without the marks of links: ```Amazon <https://…>`__``."""
    return " ".join(re.sub(r"`([^`<]*?)\s*<[^>]*>`_+", r"\1", description).split())
