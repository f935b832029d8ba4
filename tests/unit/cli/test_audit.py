from __future__ import annotations

import pytest
from tradewind.cli.audit import masked


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("users create -u a -p secret -r Admin", "users create -u a -p ******** -r Admin"),
        ("connections add c --conn-uri=pg://u:p@h", "connections add c --conn-uri=********"),
        (
            "connections add c --conn-password x --conn-host h",
            "connections add c --conn-password ******** --conn-host h",
        ),
        ("variables set k secret", "variables set k ********"),
        ("dags list --output json", "dags list --output json"),
    ],
)
def test_values_of_secret_options_are_not_recorded(given, shown):
    assert masked(given.split()) == shown.split()
