"""The OpenAPI documents, and the pages that show them."""

from __future__ import annotations

import re

import pytest
import yaml
from tradewind.webserver.api.operation import operations

DOCUMENTS = {1: "/api/v1/openapi.json", 2: "/openapi.json"}


@pytest.mark.parametrize("version", [1, 2])
def test_every_operation_that_answers_is_in_the_document(client, version):
    document = client.get(DOCUMENTS[version]).json
    described = {
        one["operationId"] for methods in document["paths"].values() for one in methods.values()
    }

    assert described == {face.id for _, face in operations(version)}
    assert document["openapi"].startswith("3.1")


def test_the_document_is_yaml_where_airflow_has_it(client):
    answer = client.get("/api/v1/openapi.yaml")

    assert yaml.safe_load(answer.text) == client.get("/api/v1/openapi.json").json


@pytest.mark.parametrize(("path", "document"), [("/docs", 2), ("/api/v1/ui/", 1)])
def test_the_page_of_a_document_keeps_to_this_server_and_has_no_script_of_its_own(
    client, path, document
):
    page = client.get(path)
    addresses = re.findall(r'(?:src|href|data-document)="([^"]+)"', page.text)

    assert page.status_code == 200
    assert DOCUMENTS[document] in addresses
    assert all(one.startswith("/") or one == "data:," for one in addresses)
    assert not re.search(r"<script(?![^>]*src=)|style=|onclick", page.text)
    for one in addresses:
        if one.startswith(("/swagger-ui/", "/assets/")):
            assert client.get(one).status_code == 200


def test_nothing_else_of_the_package_is_served(client):
    for name in ("index.html", "../__init__.py", "swagger-ui.js", "LICENSE"):
        assert client.get(f"/swagger-ui/{name}").status_code == 404
    assert client.get("/redoc").headers["Location"] == "/docs"
