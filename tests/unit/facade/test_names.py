"""The import façade: what is answered where, and what importing it costs."""

from __future__ import annotations

import csv
import importlib
import subprocess
import sys
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType

import pytest

from airflow.finder import FacadeFinder, FacadeModule
from airflow.names import MODULES
from airflow.names_missing import NOT_YET

DATA = Path(__file__).parent / "data"

OURS = [
    (module, name)
    for module, names in sorted(MODULES.items())
    for name, target in names.items()
    if not target.startswith("airflow.providers.")
]
FORWARDED = [
    (module, name)
    for module, names in sorted(MODULES.items())
    for name, target in names.items()
    if target.startswith("airflow.providers.")
]


def run_python(code: str) -> str:
    """Run *code* in a fresh interpreter and return what it prints."""
    finished = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.strip()


@pytest.mark.parametrize(("module", "name"), OURS)
def test_every_name_of_the_table_resolves(module, name):
    facade = importlib.import_module(module)

    if name == "*":
        assert [known for known in dir(facade) if not known.startswith("_")]
    else:
        assert hasattr(facade, name)


@pytest.mark.parametrize(
    "paths",
    [
        ["airflow.DAG", "airflow.models.DAG", "airflow.models.dag.DAG", "airflow.sdk.DAG"],
        [
            "airflow.operators.bash.BashOperator",
            "airflow.operators.bash_operator.BashOperator",
            "airflow.providers.standard.operators.bash.BashOperator",
        ],
        [
            "airflow.operators.python.PythonOperator",
            "airflow.operators.python_operator.PythonOperator",
            "airflow.providers.standard.operators.python.PythonOperator",
            "airflow.operators.PythonOperator",
        ],
        ["airflow.decorators.task", "airflow.sdk.task"],
        ["airflow.decorators.task_group", "airflow.decorators.task_group.task_group"],
        ["airflow.models.Variable", "airflow.sdk.Variable", "airflow.models.variable.Variable"],
        ["airflow.utils.trigger_rule.TriggerRule", "airflow.sdk.TriggerRule"],
        ["airflow.exceptions.AirflowException", "airflow.sdk.exceptions.AirflowException"],
        ["airflow.utils.timezone.utcnow", "airflow.sdk.timezone.utcnow"],
    ],
)
def test_all_paths_of_one_thing_lead_to_the_same_object(paths):
    def at(path: str) -> object:
        module, _, name = path.rpartition(".")
        return getattr(importlib.import_module(module), name)

    assert len({id(at(path)) for path in paths}) == 1


def test_a_facade_module_is_one_object_however_it_is_reached():
    from airflow.utils import timezone

    import airflow
    from airflow import models, utils

    assert importlib.import_module("airflow.models") is models is airflow.models
    assert sys.modules["airflow.utils.timezone"] is timezone is utils.timezone
    assert isinstance(models, FacadeModule)


def test_the_finder_is_installed_once_however_often_the_package_is_loaded():
    import airflow

    importlib.reload(airflow)

    assert sum(isinstance(finder, FacadeFinder) for finder in sys.meta_path) == 1
    kinds = [type(finder) for finder in sys.meta_path]
    assert kinds.index(FacadeFinder) > sys.meta_path.index(PathFinder)


def test_a_function_is_not_hidden_by_the_module_of_the_same_name():
    from airflow.decorators import task_group

    assert not isinstance(task_group, ModuleType)
    assert importlib.import_module("airflow.decorators").task_group is task_group


def test_importing_airflow_is_enough_to_name_what_lies_below_it():
    printed = run_python(
        "import airflow; print(airflow.models.DAG.__name__, airflow.utils.dates.days_ago.__name__)"
    )

    assert printed == "DAG days_ago"


def test_no_module_of_ours_is_loaded_under_two_names():
    """By its file: each one that was loaded from the checkout has a single name."""
    code = (
        "import importlib, sys\n"
        "from airflow.names import MODULES\n"
        "for module, names in MODULES.items():\n"
        "    facade = importlib.import_module(module)\n"
        "    for name, target in names.items():\n"
        "        if name != '*' and target.startswith('tradewind'):\n"
        "            getattr(facade, name)\n"
        "files = {}\n"
        "for name, module in list(sys.modules.items()):\n"
        "    file = getattr(module, '__file__', None)\n"
        "    if file and name.partition('.')[0] in ('tradewind', 'airflow', 'sdk', 'operators'):\n"
        "        files.setdefault(file, set()).add(name)\n"
        "print(len(files) > 30, [names for names in files.values() if len(names) > 1])\n"
    )

    assert run_python(code) == "True []"


def test_importing_airflow_loads_nothing_of_ours():
    printed = run_python(
        "import airflow, sys;"
        "print(sorted(name for name in sys.modules if name.startswith('tradewind')),"
        "'pendulum' in sys.modules)"
    )

    assert printed == "['tradewind'] False"


def test_declaring_a_dag_loads_neither_database_nor_web_nor_templates():
    printed = run_python(
        "import sys\n"
        "from airflow import DAG\n"
        "from airflow.operators.empty import EmptyOperator\n"
        "with DAG('a', schedule=None) as dag:\n"
        "    EmptyOperator(task_id='b') >> EmptyOperator(task_id='c')\n"
        "print([name for name in ('sqlalchemy', 'flask', 'jinja2', 'celery', 'msgspec')"
        " if name in sys.modules])"
    )

    assert printed == "[]"


def test_the_version_is_that_of_the_airflow_that_we_stand_in_for():
    from airflow.version import version

    import airflow

    assert airflow.__version__ == version == "3.3.2"


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("airflow.sensors.sql", "SqlSensor"),
        ("airflow.models", "NoSuchThing"),
        ("airflow.sdk", "NoSuchThing"),
        ("airflow.providers.standard.operators.smooth", "SmoothOperator"),
        ("airflow.triggers.deadline", "DeadlineCallbackTrigger"),
    ],
)
def test_importing_what_is_not_there_names_it(module, name):
    with pytest.raises(ImportError) as caught:
        exec(f"from {module} import {name}", {})

    assert name in str(caught.value)
    assert module in str(caught.value)


def test_a_module_that_nobody_has_is_not_found():
    with pytest.raises(ModuleNotFoundError, match=r"airflow\.nonsense"):
        importlib.import_module("airflow.nonsense")


@pytest.mark.parametrize("module", sorted(NOT_YET))
def test_what_is_called_missing_is_missing(module):
    """A module that has got names since then leaves the list."""
    assert MODULES[module] == {}


@pytest.mark.parametrize(("module", "name"), FORWARDED)
def test_what_moved_to_a_provider_package_says_which_one(module, name):
    target = MODULES[module][name].partition(":")[0]
    try:
        importlib.import_module(target)
    except ModuleNotFoundError:
        with pytest.raises(ImportError, match=rf"{name} is part of a provider package: .*{target}"):
            getattr(importlib.import_module(module), name)
    else:
        assert getattr(importlib.import_module(module), name) is not None


def test_star_imports_bring_the_public_names():
    namespace: dict[str, object] = {}
    exec("from airflow.operators.python import *", namespace)
    exec("from airflow.exceptions import *", namespace)

    assert {"PythonOperator", "BranchPythonOperator", "AirflowException"} <= namespace.keys()
    assert "*" not in namespace


def test_an_installed_provider_package_answers_for_itself(tmp_path):
    """It comes first, since the finder stands last; what it lacks is not filled in by us."""
    package = tmp_path / "airflow" / "providers" / "standard" / "operators"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").write_text("")
    (package / "__init__.py").write_text("")
    (package / "bash.py").write_text("BashOperator = 'theirs'\n")
    other = tmp_path / "airflow" / "providers" / "acme"
    other.mkdir()
    (other / "__init__.py").write_text("NAME = 'acme'\n")

    printed = run_python(
        f"import sys; sys.path.append({str(tmp_path)!r})\n"
        "from airflow.providers.standard.operators.bash import BashOperator\n"
        "from airflow.providers.acme import NAME\n"
        "from airflow.operators.bash import BashOperator as ours\n"
        "print(BashOperator, NAME, ours.__name__)"
    )

    assert printed == "theirs acme BashOperator"


def test_where_a_provider_package_is_absent_we_answer_beside_those_that_are_there(tmp_path):
    other = tmp_path / "airflow" / "providers" / "acme"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text("NAME = 'acme'\n")

    printed = run_python(
        f"import sys; sys.path.append({str(tmp_path)!r})\n"
        "from airflow.providers.acme import NAME\n"
        "from airflow.providers.standard.operators.empty import EmptyOperator\n"
        "print(NAME, EmptyOperator.__name__)"
    )

    assert printed == "acme EmptyOperator"


def public_imports() -> list[tuple[str, str]]:
    """What public repositories import from ``airflow``, provider packages left out."""
    with (DATA / "airflow-imports.csv").open(encoding="utf-8", newline="") as file:
        return [
            (row["module"], row["name"])
            for row in csv.DictReader(file)
            if int(row["repos"]) >= 2
            and (
                not row["module"].startswith("airflow.providers.")
                or row["module"].startswith("airflow.providers.standard.")
            )
        ]


def resolves(module: str, name: str) -> bool:
    try:
        loaded = importlib.import_module(module)
        if name == "(module)" or hasattr(loaded, name):
            return True
        importlib.import_module(f"{module}.{name}")
    except ImportError as error:
        return "is part of a provider package" in str(error)
    return True


def test_all_that_two_public_repositories_import_is_there():
    missing = [
        f"{module}.{name}" for module, name in public_imports() if not resolves(module, name)
    ]

    assert missing == []


def test_all_of_airflow_sdk_is_there_but_for_a_list():
    """Names of ``airflow.sdk.__all__`` in Airflow 3.3.2."""
    sdk = importlib.import_module("airflow.sdk")
    names = (DATA / "airflow-sdk-names.txt").read_text(encoding="utf-8").split()

    missing = [name for name in names if not hasattr(sdk, name)]

    expected = (DATA / "not-yet-in-sdk.txt").read_text(encoding="utf-8").split()
    assert missing == expected


def test_a_file_with_sub_dags_is_told_what_takes_their_place():
    for path in ("airflow.operators.subdag", "airflow.operators.subdag_operator"):
        module = importlib.import_module(path)
        with pytest.raises(ImportError, match=rf"{path}\.SubDagOperator: use task groups"):
            module.SubDagOperator  # noqa: B018


def test_a_task_can_be_marked_as_that_whose_result_is_the_dags():
    from airflow.sdk import result, task

    @result
    @task
    def total():
        return 1

    assert total.function() == 1
    with pytest.raises(TypeError, match="above a function that @task made"):
        result(5)


def test_partitioned_assets_can_be_imported_and_are_refused_when_they_are_used():
    from airflow.sdk import CronPartitionTimetable, StartOfDayMapper

    for kind in (CronPartitionTimetable, StartOfDayMapper):
        with pytest.raises(RuntimeError, match=f"{kind.__name__} belongs to partitioned assets"):
            kind("0 0 * * *", timezone="UTC")
