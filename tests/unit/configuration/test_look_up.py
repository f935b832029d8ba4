from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from tradewind.database.engine import parse_url
from tradewind.sdk.configuration import Configuration, ConfigurationError, dags_folder, home


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRADEWIND_HOME", str(tmp_path))
    monkeypatch.delenv("AIRFLOW_HOME", raising=False)
    return tmp_path


def test_our_environment_goes_before_airflows_and_both_before_the_file(here, monkeypatch):
    (here / "tradewind.cfg").write_text("[core]\nparallelism = 3\n")
    conf = Configuration()

    from_file = conf.getint("core", "parallelism")
    monkeypatch.setenv("AIRFLOW__CORE__PARALLELISM", "4")
    from_airflow = conf.getint("core", "parallelism")
    monkeypatch.setenv("TRADEWIND__CORE__PARALLELISM", "5")

    assert (from_file, from_airflow, conf.getint("core", "parallelism")) == (3, 4, 5)


def test_airflow_cfg_is_read_only_where_there_is_no_tradewind_cfg(here):
    (here / "airflow.cfg").write_text("[core]\nparallelism = 7\n")

    assert Configuration().getint("core", "parallelism") == 7

    (here / "tradewind.cfg").write_text("[core]\nload_examples = f\n")

    assert Configuration().getint("core", "parallelism") == 32


def test_home_is_ours_then_airflows_then_a_folder_of_the_user(monkeypatch, tmp_path):
    monkeypatch.setenv("WHERE", str(tmp_path))
    monkeypatch.setenv("AIRFLOW_HOME", "$WHERE/old")
    monkeypatch.delenv("TRADEWIND_HOME", raising=False)

    assert home() == tmp_path / "old"

    monkeypatch.setenv("TRADEWIND_HOME", str(tmp_path / "new"))
    assert home() == tmp_path / "new"
    assert dags_folder() == tmp_path / "new" / "dags"

    monkeypatch.delenv("TRADEWIND_HOME")
    monkeypatch.delenv("AIRFLOW_HOME")
    assert home() == Path.home() / "tradewind"


def test_the_default_database_lies_in_the_home_whatever_its_name(monkeypatch, tmp_path):
    """A URL has marks that a folder's name may have, too: 20 % of what? was another folder."""
    folder = tmp_path / "20 %20 of # what?x=1" / "Übung"
    monkeypatch.setenv("TRADEWIND_HOME", str(folder))

    url = Configuration().get("database", "sql_alchemy_conn")

    assert parse_url(url).database == str(folder / "tradewind.db")


def test_a_user_without_a_home_is_told_to_name_one(monkeypatch):
    def nobody():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("TRADEWIND_HOME", raising=False)
    monkeypatch.delenv("AIRFLOW_HOME", raising=False)
    monkeypatch.setattr(Path, "home", nobody)

    with pytest.raises(ConfigurationError, match="set TRADEWIND_HOME"):
        home()


def test_a_home_whose_name_is_not_utf_8_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("TRADEWIND_HOME", os.fsdecode(os.fsencode(tmp_path) + b"/\xe9"))

    with pytest.raises(ConfigurationError, match="is not UTF-8"):
        home()


def test_a_home_that_cannot_be_looked_into_is_one_clear_line(monkeypatch, tmp_path):
    """As another user's is; a name that is too long fails for root, too."""
    monkeypatch.setenv("TRADEWIND_HOME", f"{tmp_path}/{'x' * 300}")

    with pytest.raises(ConfigurationError, match=r"Cannot look into .*set TRADEWIND_HOME"):
        Configuration().get("core", "parallelism")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (("core", "sql_alchemy_conn"), ("database", "sql_alchemy_conn")),
        (("webserver", "web_server_port"), ("api", "port")),
        (("scheduler", "dag_dir_list_interval"), ("dag_processor", "refresh_interval")),
    ],
)
def test_a_moved_option_is_found_under_both_names_wherever_it_was_written(
    here, monkeypatch, old, new
):
    monkeypatch.setenv(f"AIRFLOW__{old[0]}__{old[1]}".upper(), "11")
    conf = Configuration()

    assert conf.get(*old) == conf.get(*new) == "11"

    monkeypatch.setenv(f"AIRFLOW__{new[0]}__{new[1]}".upper(), "22")
    assert conf.get(*old) == conf.get(*new) == "22"


def test_a_secret_option_may_come_from_a_command(here, monkeypatch):
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD", "echo sqlite:///elsewhere.db")
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR_CMD", "echo CeleryExecutor")
    conf = Configuration()

    assert conf.get("database", "sql_alchemy_conn") == "sqlite:///elsewhere.db"
    assert conf.get("core", "executor") == "LocalExecutor", "not a secret option"


def test_a_failing_command_is_one_clear_error(here, monkeypatch):
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD", "false")

    with pytest.raises(ConfigurationError, match="Cannot run 'false'"):
        Configuration().get("database", "sql_alchemy_conn")


@pytest.mark.parametrize(
    ("text", "value"),
    [("True", True), ("t", True), ("1", True), ("FALSE # off", False), ("f", False), ("0", False)],
)
def test_booleans_are_read_in_every_form_and_a_comment_is_cut(here, monkeypatch, text, value):
    monkeypatch.setenv("AIRFLOW__CORE__LOAD_EXAMPLES", text)

    assert Configuration().getboolean("core", "load_examples") is value


def test_a_value_that_cannot_be_read_names_option_value_and_source(here, monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__PARALLELISM", "many")

    with pytest.raises(ConfigurationError) as caught:
        Configuration().getint("core", "parallelism")

    assert str(caught.value) == (
        "[core] parallelism must be a whole number, not 'many' (from environment)"
    )


def test_an_unset_option_gives_the_fallback_and_an_unknown_one_without_it_an_error(here):
    conf = Configuration()

    assert conf.getfloat("core", "killed_task_cleanup_time", fallback=2.5) == 2.5
    assert conf.get("nowhere", "nothing", fallback=None) is None
    with pytest.raises(ConfigurationError, match=r"no option nothing in section \[nowhere\]"):
        conf.get("nowhere", "nothing")


def test_an_empty_option_without_fallback_is_an_empty_text(here):
    assert Configuration().get("api", "base_url") == ""


def test_unknown_keys_and_old_names_are_reported_and_known_ones_are_not(here, monkeypatch):
    (here / "airflow.cfg").write_text(
        "[core]\nparalelism = 3\ncheck_slas = True\n[kubernetes_executor]\nnamespace = x\n"
        "[webserver]\nweb_server_port = 1\n"
    )

    notices = Configuration().notices()

    assert notices == [
        "These settings are not known and change nothing: [core] paralelism",
        "These settings have new names (the old ones work): "
        "[webserver] web_server_port is now [api] port",
    ]


def test_a_doubled_percent_sign_in_a_file_is_one(here):
    (here / "airflow.cfg").write_text("[logging]\nlog_format = %%(message)s 5%\n")

    assert Configuration().get("logging", "log_format") == "%(message)s 5%"


def test_keys_of_an_install_are_drawn_once_and_only_the_owner_reads_them(here):
    first = Configuration().get("core", "fernet_key")

    path = here / "secrets" / "fernet_key"
    assert Configuration().get("core", "fernet_key") == first == path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Configuration().get("api", "secret_key") != first


def test_secret_values_are_hidden_unless_asked_for(here, monkeypatch):
    monkeypatch.setenv("AIRFLOW__CELERY__BROKER_URL", "redis://:pw@host")
    conf = Configuration()

    assert conf.as_dict(display_source=True)["celery"]["broker_url"] == (
        "< hidden >",
        "environment",
    )
    assert conf.as_dict(display_sensitive=True)["celery"]["broker_url"] == "redis://:pw@host"


def test_a_broken_file_is_one_clear_error(here):
    (here / "tradewind.cfg").write_text("core parallelism\n")

    with pytest.raises(ConfigurationError, match=r"Cannot read the settings in .*tradewind\.cfg"):
        Configuration().get("core", "parallelism")


def test_many_old_names_are_counted_and_not_listed(here):
    (here / "airflow.cfg").write_text(
        "[webserver]\nworkers = 1\nbase_url = x\npage_size = 3\ncookie_secure = True\n"
    )

    (short,) = Configuration().notices(2)
    (long,) = Configuration().notices()

    assert short.endswith("[api] base_url, and 2 more; 'config lint' names them")
    assert "cookie_secure" in long


def test_options_that_airflow_writes_by_itself_are_not_reported(here):
    (here / "airflow.cfg").write_text(
        "[core]\nmight_contain_dag_callable = x\n[workers]\nexecution_api_retries = 5\n"
        "[state_store]\nbackend = y\n[webserver]\nmax_form_parts = 1000\n"
    )

    assert Configuration().notices() == []
