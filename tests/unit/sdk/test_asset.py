"""Assets and datasets: semantics section 4.10."""

from __future__ import annotations

import pytest
from tradewind.sdk.asset import (
    Asset,
    AssetAlias,
    AssetAll,
    AssetAny,
    AssetNameRef,
    AssetUriRef,
    Dataset,
    Metadata,
)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("s3://B/k/?b=2&a=1#f", "s3://B/k?a=1&b=2"),
        ("S3://bucket/key", "s3://bucket/key"),
        ("s3://bucket/", "s3://bucket"),
        ("just a name", "just a name"),
        ("x-mine://Host/a/?b=2&a=1#f", "x-mine://Host/a/?b=2&a=1#f"),
        ("postgres://me@host/db", "postgres://me@host/db"),
    ],
)
def test_a_uri_has_one_spelling(given, expected):
    assert Asset(uri=given).uri == expected


def test_a_password_is_left_out_of_a_uri():
    with pytest.warns(UserWarning, match="password"):
        asset = Asset(uri="postgres://me:secret@host/db")

    assert asset.uri == "postgres://me@host/db"


@pytest.mark.parametrize("uri", ["", "  ", "airflow://x", "s3://" + "a" * 3001])
def test_a_uri_that_cannot_be_is_refused(uri):
    with pytest.raises(ValueError, match=r"asset|reserved"):
        Dataset(uri)


def test_name_and_uri_stand_for_each_other():
    assert (Asset("a").uri, Asset(uri="s3://a").name) == ("a", "s3://a")
    assert Asset("a", "s3://a") == Asset(name="a", uri="s3://a")
    with pytest.raises(TypeError):
        Asset()


def test_a_dataset_takes_its_extra_in_the_second_place():
    assert Dataset("s3://a", {"k": 1}).extra == {"k": 1}


def test_conditions_are_built_with_operators():
    a, b, c = Asset("a"), Asset("b"), Asset("c")

    condition = a & b | c

    assert isinstance(condition, AssetAny)
    assert condition.objects == [AssetAll(a, b), c]
    assert (a | b | c).objects == [a, b, c]
    assert list(condition.iter_assets()) == [a, b, c]
    assert list((a | AssetAlias("x")).iter_asset_aliases()) == [AssetAlias("x")]


def test_only_assets_can_be_joined():
    with pytest.raises(TypeError):
        Asset("a") & 1


def test_references_name_an_asset_of_elsewhere():
    assert Asset.ref(name="a") == AssetNameRef("a")
    assert Asset.ref(uri="s3://a") == AssetUriRef("s3://a")
    with pytest.raises(TypeError):
        Asset.ref()


def test_metadata_is_about_an_asset():
    assert Metadata(Asset(uri="s3://a"), {"rows": 1}).uri == "s3://a"
    with pytest.raises(TypeError):
        Metadata("s3://a", {})
