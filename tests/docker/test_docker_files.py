"""The files of docker/: read as Docker and Kubernetes would, since no engine is at hand."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from tradewind.cli.main import root
from tradewind.sdk.configuration_defaults import DEFAULTS

FOLDER = Path(__file__).parents[2] / "docker"
COMPOSE = yaml.safe_load((FOLDER / "compose.yaml").read_text())
KUBERNETES = list(yaml.safe_load_all((FOLDER / "kubernetes.yaml").read_text()))
DOCKERFILE = (FOLDER / "Dockerfile").read_text()


def own_services() -> dict[str, dict[str, Any]]:
    return {name: one for name, one in COMPOSE["services"].items() if one["image"] == "tradewind"}


def containers() -> Iterator[dict[str, Any]]:
    for one in KUBERNETES:
        template = one.get("spec", {}).get("template") if one["kind"] != "Service" else None
        if template:
            yield from template["spec"].get("initContainers", [])
            yield from template["spec"]["containers"]


def commands() -> list[list[str]]:
    """Every command of ours that a container, or its health check, runs."""
    found: list[list[str]] = []
    for service in own_services().values():
        for words in (service.get("command"), service.get("healthcheck", {}).get("test")):
            if words:
                text = words[-1] if words[0] in ("sh", "CMD-SHELL") else shlex.join(words)
                found += [shlex.split(part) for part in text.split("&&")]
    for container in containers():
        found.append(container["command"])
        if "exec" in container.get("livenessProbe", {}):
            found.append(container["livenessProbe"]["exec"]["command"])
    return found


@pytest.mark.parametrize("words", commands(), ids=shlex.join)
def test_every_command_of_a_container_is_one_of_ours(words):
    assert words[0] == "tradewind"
    answer = CliRunner().invoke(root, [*words[1:], "--help"])

    assert answer.exit_code == 0, answer.output
    options = set(re.findall(r"--[a-z-]+", answer.output))
    assert {word for word in words if word.startswith("--")} <= options


def test_every_setting_of_the_cluster_is_one_that_we_know():
    names = {*COMPOSE["x-tradewind"]["environment"]}
    names |= next(one["data"].keys() for one in KUBERNETES if one["kind"] == "ConfigMap")
    names |= set(re.findall(r"--from-literal=(\w+)=", (FOLDER / "kubernetes.yaml").read_text()))

    for name in names:
        _, section, key = name.lower().split("__")
        assert key in DEFAULTS[section], name


def test_no_secret_has_a_default_and_each_stands_in_the_example():
    text = (FOLDER / "compose.yaml").read_text()
    asked = dict(re.findall(r"\$\{(\w+)(:[?-])", text))
    example = (FOLDER / "env.example").read_text()

    for name, how in asked.items():
        assert re.search(rf"^(# )?{name}=", example, re.MULTILINE), name
        if name.endswith(("PASSWORD", "KEY", "SECRET")):
            assert how == ":?", f"{name} has a default"
            assert re.search(rf"^{name}=$", example, re.MULTILINE), f"{name} has a value"


def test_every_service_has_a_health_check_and_waits_for_the_schema():
    for name, service in own_services().items():
        if name == "migrate":
            continue
        assert service["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
        if name != "web":  # the image's own check asks the page
            assert "jobs check" in service["healthcheck"]["test"][1], name
    assert own_services()["scheduler"]["deploy"]["replicas"] == 2
    assert own_services()["worker"]["deploy"]["replicas"] == 2


def test_the_page_is_published_to_this_machine_only():
    assert [port.split(":")[0] for port in COMPOSE["services"]["web"]["ports"]] == ["127.0.0.1"]


def test_the_image_is_built_in_two_stages_and_runs_as_nobody_special():
    stages = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    last = DOCKERFILE.rpartition("\nFROM ")[2]

    assert len(stages) == 2
    assert all(":" in image and not image.endswith(":latest") for image in stages)
    assert re.search(r"^USER (?!root)", last, re.MULTILINE)
    assert "HEALTHCHECK" in last
    assert "rm -rf /var/lib/apt/lists" in last
    assert 'ENTRYPOINT ["tini", "--"]' in last
    assert not re.search(r"^ADD ", DOCKERFILE, re.MULTILINE)


def test_no_pod_runs_as_root():
    for one in KUBERNETES:
        if one["kind"] in ("Deployment", "Job"):
            pod = one["spec"]["template"]["spec"]
            assert pod["securityContext"]["runAsNonRoot"] is True, one["metadata"]["name"]
    assert {one["metadata"]["name"] for one in KUBERNETES if one["kind"] == "Deployment"} == {
        f"tradewind-{name}" for name in ("scheduler", "dag-processor", "triggerer", "worker", "web")
    }
