"""Signing in through an OpenID Connect provider."""

from __future__ import annotations

import time
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from tradewind.sdk import configuration
from tradewind.webserver.app import create_app

from .conftest import NOW
from .oidc_provider import Provider


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    made.claims = {"sub": "1", "preferred_username": "grace", "groups": ["data"]}
    yield made
    made.close()


@pytest.fixture
def client(provider, services, monkeypatch):
    for name, value in {
        "issuer": provider.issuer,
        "client_id": "tradewind",
        "client_secret": "hush",
        "roles_claim": "groups",
        "role_mapping": '{"data": "User", "root": "Admin"}',
    }.items():
        monkeypatch.setenv(f"TRADEWIND__OIDC__{name.upper()}", value)
    configuration.reset()
    return create_app(services).test_client()


def sign_in(client, provider: Provider, **changes: str):
    """Go to the provider and come back, as a browser does."""
    there = client.get("/login/oidc?next=/dags")
    assert there.status_code == 302, there.text
    assert there.location.startswith(f"{provider.issuer}/authorize?")
    query = {name: some[0] for name, some in parse_qs(urlsplit(there.location).query).items()}
    back = urlsplit(provider.authorize({**query, **changes}))
    return client.get(f"{back.path}?{back.query}")


def test_who_comes_back_from_the_provider_is_signed_in_with_the_roles_of_the_groups(
    client, provider, store
):
    assert "OpenID Connect" in client.get("/login").text

    answer = sign_in(client, provider)

    assert (answer.status_code, answer.location) == (302, "/dags")
    assert client.get("/dags").status_code == 200
    assert store.users.get("grace").roles == ("User",)
    provider.claims["groups"] = ["root"]
    sign_in(client, provider)
    assert store.users.get("grace").roles == ("Admin",)
    provider.claims["groups"] = []
    assert sign_in(client, provider).status_code == 403


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": "another"},
        {"aud": "another"},
        {"iss": "https://elsewhere"},
        {"exp": int(time.time()) - 1000},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_an_answer_that_is_not_for_us_is_refused(changes, client, provider, store):
    provider.changes = changes

    assert sign_in(client, provider).status_code == 403
    assert client.get("/dags").status_code == 302
    assert store.users.get("grace") is None


def test_a_foreign_signature_and_a_foreign_state_are_refused(client, provider, store):
    provider.signing_key = generate_private_key(65537, 2048)
    assert sign_in(client, provider).status_code == 403
    provider.signing_key = provider.key
    assert sign_in(client, provider, state="another").status_code == 403
    assert store.users.get("grace") is None


def test_a_name_at_the_provider_does_not_take_over_a_user_with_a_password(client, provider):
    provider.claims["preferred_username"] = "ada"

    answer = sign_in(client, provider)

    assert answer.status_code == 403
    assert client.get("/dags").status_code == 302


def test_a_deactivated_user_is_not_let_in(client, provider, store):
    sign_in(client, provider)
    store.users.set_active("grace", False, now=NOW, actor="user:ada")

    assert sign_in(client, provider).status_code == 403


def test_a_provider_that_does_not_answer_is_one_clear_line(client, provider):
    provider.close()

    answer = client.get("/login/oidc")

    assert answer.status_code == 503
    assert "does not answer" in answer.text
    assert "Traceback" not in answer.text
