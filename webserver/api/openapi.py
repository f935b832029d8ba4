"""The OpenAPI documents, made of the operations that answer."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import msgspec
from flask import Flask, Response

from ... import __version__
from .operation import Face, Operation, Query, operations
from .routes import NUMBERS

_TYPES = {
    "text": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "instant": {"type": "string", "format": "date-time"},
}
_REFERENCE = "#/components/schemas/{name}"
_PREFIX = {1: "/api/v1", 2: "/api/v2"}


def add_document_routes(app: Flask) -> None:
    """Serve the documents at the addresses that Airflow has them at."""
    for version, paths in {
        1: ("/api/v1/openapi.json", "/api/v1/openapi.yaml"),
        2: ("/openapi.json", "/api/v2/openapi.json"),
    }.items():
        for path in paths:
            app.add_url_rule(path, f"openapi{path.replace('/', '_')}", _server(version, path))


def _server(version: int, path: str) -> Any:
    is_yaml = path.endswith(".yaml")
    kind = "text/yaml" if is_yaml else "application/json"
    return lambda: Response(_text(version, is_yaml=is_yaml), content_type=kind)


@lru_cache(maxsize=4)
def _text(version: int, *, is_yaml: bool) -> bytes:
    """Written once: nobody has to log in to ask for it, and YAML takes a second."""
    found = document(version)
    if not is_yaml:
        return msgspec.json.encode(found)
    import yaml

    return yaml.safe_dump(found, sort_keys=False, encoding="utf-8")


def document(version: int) -> dict[str, Any]:
    """Return the document of one version."""
    kinds = [
        kind for _, face in operations(version) for kind in (face.body, *_answers(face)) if kind
    ]
    schemas, components = msgspec.json.schema_components(kinds, ref_template=_REFERENCE)
    by_kind = dict(zip(map(id, kinds), schemas, strict=True))
    paths: dict[str, Any] = {}
    for one, face in operations(version):
        path = face.path if version == 1 else _PREFIX[2] + face.path
        paths.setdefault(path, {})[one.method.lower()] = _describe(one, face, version, by_kind)
    components["Error"] = _error_schema(version)
    schemes: dict[str, Any] = {"Basic": {"type": "http", "scheme": "basic"}}
    if version == 2:
        schemes["Bearer"] = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    return {
        "openapi": "3.1.0",
        "info": {"title": f"Tradewind REST API, version {version}", "version": __version__},
        "servers": [{"url": _PREFIX[1] if version == 1 else "/"}],
        "security": [{name: []} for name in schemes],
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": schemes},
    }


def _describe(one: Operation, face: Face, version: int, by_kind: dict[int, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": face.id,
        "summary": one.summary,
        "tags": [face.tag],
        "parameters": [*_path_parameters(face), *map(_parameter, face.query)],
        "responses": _responses(one, face, version, by_kind),
    }
    if one.permission is None:
        described["security"] = []
    if face.body is not None:
        described["requestBody"] = {
            "required": not face.has_optional_body,
            "content": {"application/json": {"schema": by_kind[id(face.body)]}},
        }
    return described


def _responses(one: Operation, face: Face, version: int, by_kind: dict[int, Any]) -> dict[str, Any]:
    success: dict[str, Any] = {"description": "Success."}
    found = [by_kind[id(kind)] for kind in _answers(face)]
    if found:
        schema = found[0] if len(found) == 1 else {"anyOf": found}
        success["content"] = {"application/json": {"schema": schema}}
    elif face.media_type != "application/json":
        success["content"] = {face.media_type: {"schema": _TYPES["text"]}, "application/json": {}}
    bad = {400, 422} if version == 2 else {400}
    if face.body is not None:
        bad |= {413, 415}
    codes = {*face.errors, *bad}
    if one.permission is not None:
        codes |= {401, 403, 404, 429, 503}
    if one.method != "GET":
        codes.add(409)
    kind = "application/problem+json" if version == 1 else "application/json"
    error = {"schema": {"$ref": _REFERENCE.format(name="Error")}}
    answers = {
        str(code): {"description": "An error.", "content": {kind: error}} for code in sorted(codes)
    }
    # The server's own word for an address that is too long: it comes before any of ours.
    answers["414"] = {"description": "The address is too long.", "content": {"text/html": {}}}
    return {str(face.status): success, **answers}


def _answers(face: Face) -> tuple[Any, ...]:
    if face.answer is None:
        return ()
    return face.answer if isinstance(face.answer, tuple) else (face.answer,)


def _error_schema(version: int) -> dict[str, Any]:
    if version == 2:
        return {"type": "object", "properties": {"detail": {}, "error": {"type": "string"}}}
    return {
        "type": "object",
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": ["string", "null"]},
        },
        "required": ["type", "title", "status"],
    }


def _path_parameters(face: Face) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": _TYPES["integer" if name in NUMBERS else "text"],
        }
        for name in re.findall(r"\{(\w+)\}", face.path)
    ]


def _parameter(query: Query) -> dict[str, Any]:
    schema: dict[str, Any] = dict(_TYPES[query.kind])
    if query.choices:
        schema["enum"] = list(query.choices)
    if query.is_list:
        schema = {"type": "array", "items": schema}
    if query.default is not None:
        schema["default"] = query.default
    return {"name": query.name, "in": "query", "required": query.is_required, "schema": schema}
