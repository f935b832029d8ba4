"""Paths in object stores, and XComs that are kept there."""

import json

import pytest
from tradewind.operators.python import PythonOperator
from tradewind.sdk import xcom, xcom_serialization
from tradewind.sdk.exceptions import AirflowConfigException
from tradewind.sdk.object_storage import ObjectStoragePath
from tradewind.sdk.xcom_object_storage import XComObjectStorageBackend


@pytest.mark.parametrize(
    ("address", "protocol", "bucket", "key", "conn_id"),
    [
        ("file:///tmp/x/y.txt", "file", "", "tmp/x/y.txt", None),
        ("memory://bucket/a/b.txt", "memory", "bucket", "a/b.txt", None),
        ("memory://my_conn@bucket/a/b.txt", "memory", "bucket", "a/b.txt", "my_conn"),
    ],
)
def test_an_address_names_store_bucket_key_and_connection(address, protocol, bucket, key, conn_id):
    path = ObjectStoragePath(address)

    assert (path.protocol, path.bucket, path.key, path.conn_id) == (protocol, bucket, key, conn_id)
    assert str(path) == address
    assert (path.parent / "other").conn_id == conn_id


def test_files_are_written_read_listed_copied_and_moved_between_stores(tmp_path):
    here = ObjectStoragePath("memory://c@bucket-of-files/in/a.txt")
    here.parent.mkdir(parents=True, exist_ok=True)
    here.write_text("hello")
    there = ObjectStoragePath(f"file://{tmp_path}")

    copied = here.copy(there)
    moved = here.move(there / "moved.txt")

    assert (tmp_path / "a.txt").read_text() == copied.read_text() == "hello"
    assert moved.size() == 5
    assert not here.exists()
    assert sorted(path.name for path in there.iterdir()) == ["a.txt", "moved.txt"]
    assert here != ObjectStoragePath("memory://bucket-of-files/in/a.txt")


def test_a_folder_is_copied_into_another_store(tmp_path):
    folder = ObjectStoragePath("memory://bucket-with-folder/in")
    (folder / "deep").mkdir(parents=True, exist_ok=True)
    (folder / "a.txt").write_text("a")
    (folder / "deep" / "b.txt").write_text("b")

    folder.copy(ObjectStoragePath(f"file://{tmp_path}/out"), recursive=True)

    assert (tmp_path / "out" / "a.txt").read_text() == "a"
    assert (tmp_path / "out" / "deep" / "b.txt").read_text() == "b"


def test_a_path_is_an_xcom():
    path = ObjectStoragePath("memory://my_conn@bucket/a.txt")

    text, _ = xcom_serialization.encode(path, task_id="t", key="k")

    assert xcom_serialization.decode(text) == path


def test_a_path_of_a_newer_version_is_refused():
    with pytest.raises(ValueError, match="version 2"):
        ObjectStoragePath.deserialize({"path": "memory://b/k"}, 2)


@pytest.fixture
def backend(monkeypatch, tmp_path):
    monkeypatch.setenv(
        "AIRFLOW__CORE__XCOM_BACKEND",
        "airflow.providers.common.io.xcom.backend.XComObjectStorageBackend",
    )
    monkeypatch.setenv("AIRFLOW__COMMON_IO__XCOM_OBJECTSTORAGE_PATH", f"file://{tmp_path}/xcoms")
    monkeypatch.setenv("AIRFLOW__COMMON_IO__XCOM_OBJECTSTORAGE_THRESHOLD", "50")
    return tmp_path / "xcoms"


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_large_values_go_to_the_store_and_small_ones_do_not(world, backend):
    PythonOperator(task_id="small", python_callable=lambda: "x", dag=world.dag)
    PythonOperator(task_id="large", python_callable=lambda: ["y" * 100], dag=world.dag)
    PythonOperator(
        task_id="read", python_callable=lambda ti: ti.xcom_pull(["small", "large"]), dag=world.dag
    )

    world.run("small")
    world.run("large")
    result = world.run("read")

    assert result.outcome == "success"
    assert [path.parts[-2] for path in files(backend)] == ["large", "read"]
    assert json.loads(files(backend)[1].read_text()) == ["x", ["y" * 100]]


def test_compressed_values_are_read_back(world, backend, monkeypatch):
    monkeypatch.setenv("AIRFLOW__COMMON_IO__XCOM_OBJECTSTORAGE_COMPRESSION", "gzip")
    stored = XComObjectStorageBackend.serialize_value(
        "z" * 1000, key="k", task_id="t", dag_id="d", run_id="r"
    )

    [path] = files(backend)
    assert path.suffix == ".gz"
    assert path.stat().st_size < 200
    row = xcom.XComResult("k", stored)
    assert XComObjectStorageBackend.deserialize_value(row) == "z" * 1000


def test_the_next_try_removes_what_the_last_one_stored(world, backend):
    PythonOperator(task_id="large", python_callable=lambda: "y" * 100, dag=world.dag)

    world.run("large")
    before = files(backend)
    world.run("large", try_number=2)

    assert len(before) == len(files(backend)) == 1
    assert files(backend) != before


def test_a_value_that_looks_like_a_path_elsewhere_is_a_value(backend):
    text, _ = xcom_serialization.encode("file:///etc/passwd", task_id="t", key="k")

    assert XComObjectStorageBackend.deserialize_value(xcom.XComResult("k", text)) == (
        "file:///etc/passwd"
    )


def test_a_missing_setting_is_named(monkeypatch):
    monkeypatch.setenv("AIRFLOW__COMMON_IO__XCOM_OBJECTSTORAGE_THRESHOLD", "0")

    with pytest.raises(AirflowConfigException, match="xcom_objectstorage_path"):
        XComObjectStorageBackend.serialize_value("x", task_id="t", key="k")
