import pytest
from tradewind.runtime.task.secrets_files import (
    FileSecrets,
    SecretsFileUnreadable,
    load_variables,
)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("v.json", '{"a": "x", "b": {"c": 1}}'),
        ("v.yaml", "a: x\nb:\n  c: 1\n"),
        ("v.env", '# a comment\n\na = x\nb={"c": 1}\n'),
    ],
)
def test_variables_are_read_from_each_format(tmp_path, name, text):
    file = tmp_path / name
    file.write_text(text)

    assert load_variables(file) == {"a": "x", "b": '{"c": 1}'}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.json", '{"db": "postgres://u:p@h:5/s"}'),
        (
            "c.yaml",
            "db: {conn_type: postgres, host: h, login: u, password: p, port: 5, schema: s}",
        ),
        ("c.env", "db=postgres://u:p@h:5/s"),
        ("c.json", '{"db": ["mysql://old", "postgres://u:p@h:5/s"]}'),
    ],
)
def test_connections_are_read_as_uri_or_fields(tmp_path, name, text):
    file = tmp_path / name
    file.write_text(text)

    found = FileSecrets(None, file).get_connection("db")

    assert (found.conn_id, found.conn_type) == ("db", "postgres")
    assert (found.host, found.login, found.password, found.port, found.schema) == (
        "h",
        "u",
        "p",
        5,
        "s",
    )


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("v.json", "{", "v.json is not valid json"),
        ("v.json", "[1]", "a mapping of names to values"),
        ("v.env", "a=1\nnonsense\n", r"v.env, line 2: NAME=value"),
        ("v.yaml", "a: [", "v.yaml cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_what_is_wrong(tmp_path, name, text, words):
    file = tmp_path / name
    file.write_text(text)

    with pytest.raises(SecretsFileUnreadable, match=words):
        load_variables(file)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SecretsFileUnreadable, match=r"gone\.json: No such file"):
        load_variables(tmp_path / "gone.json")
