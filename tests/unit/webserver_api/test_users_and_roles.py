"""Users, roles, and what a user marks for themselves."""

from __future__ import annotations

import pytest

from .conftest import Api, add_user

NEW = {
    "username": "grace",
    "first_name": "Grace",
    "last_name": "H",
    "email": "grace@localhost",
    "roles": [{"name": "User"}],
    "password": "a-new-password",
}


def test_a_user_is_created_shown_changed_and_deleted(client, v1):
    made = v1("POST", "/users", NEW)
    assert made.status_code == 200
    assert "password" not in made.json
    assert made.json["roles"] == [{"name": "User"}]

    found = v1.get("/users?order_by=-username")
    assert [one["username"] for one in found["users"]] == ["grace", "ada"]

    change = {"last_name": "Hopper", "roles": [{"name": "Viewer"}]}
    masked = v1("PATCH", "/users/grace?update_mask=last_name", change)
    assert (masked.json["last_name"], masked.json["roles"]) == ("Hopper", [{"name": "User"}])
    assert v1("PATCH", "/users/grace", change).json["roles"] == [{"name": "Viewer"}]

    assert v1("DELETE", "/users/grace").status_code == 204
    assert v1("GET", "/users/grace").status_code == 404


def test_a_new_user_logs_in_and_a_new_password_counts(client, v1):
    v1("POST", "/users", {**NEW, "password": "grace-password"})
    grace = Api(client, 1, "grace")
    assert grace("GET", "/dags").status_code == 200

    v1("PATCH", "/users/grace", {"password": "another-password"})
    assert grace("GET", "/dags").status_code == 401


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"roles": [{"name": "Nobody"}]}, 400),
        ({"username": ""}, 400),
        ({"password": ""}, 400),
        ({"username": "ada"}, 409),
        ({"nope": 1}, 400),
    ],
)
def test_a_user_that_cannot_be(v1, change, status):
    assert v1("POST", "/users", {**NEW, **change}).status_code == status


def test_the_last_admin_stays(v1):
    assert v1("DELETE", "/users/ada").status_code == 409
    assert v1("PATCH", "/users/ada", {"roles": [{"name": "Viewer"}]}).status_code == 409


def test_who_is_no_admin_changes_no_user_not_even_themselves(client, store):
    add_user(store, "olga")
    olga = Api(client, 1, "olga")

    assert olga("GET", "/users").status_code == 403
    assert olga("PATCH", "/users/olga", {"roles": [{"name": "Admin"}]}).status_code == 403
    assert olga("POST", "/roles", {"name": "x"}).status_code == 403


def test_roles_and_what_they_may_do(v1):
    read = {"action": {"name": "can_read"}, "resource": {"name": "DAG:orders"}}
    assert v1("POST", "/roles", {"name": "Shop", "actions": [read]}).status_code == 200

    assert v1.get("/roles/Shop") == {"name": "Shop", "actions": [read]}
    assert "Shop" in [one["name"] for one in v1.get("/roles")["roles"]]
    assert v1("PATCH", "/roles/Shop", {"name": "Shop", "actions": []}).json["actions"] == []
    assert v1("PATCH", "/roles/Shop", {"name": "Other"}).status_code == 400
    assert v1("DELETE", "/roles/Shop").status_code == 204
    assert v1("DELETE", "/roles/Admin").status_code == 400
    assert v1("GET", "/roles/Shop").status_code == 404
    assert {"name": "can_read"} in v1.get("/permissions")["actions"]


def test_favorites_are_ones_own(client, v2, store, orders):
    add_user(store, "vic")
    vic = Api(client, 2, "vic")

    assert vic("POST", "/dags/orders/favorite").status_code == 204
    assert vic("POST", "/dags/orders/favorite").status_code == 204
    assert vic.get("/dags?is_favorite=true")["total_entries"] == 1
    assert vic.get("/dags/orders/details")["is_favorite"] is True
    assert v2.get("/dags?is_favorite=true")["total_entries"] == 0
    assert v2.get("/dags?is_favorite=false")["total_entries"] == 1
    assert vic("POST", "/dags/orders/unfavorite").status_code == 204
    assert vic("POST", "/dags/orders/unfavorite").status_code == 409
    assert vic("POST", "/dags/nope/favorite").status_code == 404
