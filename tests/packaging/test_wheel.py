"""The wheel holds every file that running needs, and works away from the checkout."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: Folders of the checkout that are for people who work on Tradewind, not for its users.
NOT_SHIPPED = {"tests", "benchmarks", "docs", "docker", ".ci", ".github"}
NOT_SHIPPED_FILES = {
    ".dockerignore",
    ".gitignore",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "README.md",
    "constraints.txt",
    "pyproject.toml",
}


#: Folders of the checkout that are top-level packages; all others lie in "tradewind".
TOPS = {"airflow", "airflow-stubs"}


def tracked_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    return [Path(name) for name in listed.split("\0") if name and (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build from a copy of what git knows, so that leftovers of the checkout cannot help."""
    clean = tmp_path_factory.mktemp("clean") / "checkout"
    for relative in tracked_files():
        target = clean / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / relative).read_bytes())
    output = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", output, clean],
        check=True,
        capture_output=True,
    )
    return next(output.glob("*.whl"))


@pytest.fixture(scope="module")
def elsewhere(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the bin folder of an environment that has the wheel, and not the checkout.

    The dependencies come from this environment by one path line; path lines of path lines are
    not followed, so the editable install that the tests run from stays out of sight.
    """
    home = tmp_path_factory.mktemp("elsewhere")
    subprocess.run([sys.executable, "-m", "venv", home], check=True)
    python = home / "bin" / "python"
    target = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    Path(target, "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel],
        check=True,
        capture_output=True,
    )
    return home / "bin"


def test_every_shipped_file_of_the_checkout_is_in_the_wheel(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    missing = [
        str(path)
        for path in tracked_files()
        if path.parts[0] not in NOT_SHIPPED
        and str(path) not in NOT_SHIPPED_FILES
        and str(path if path.parts[0] in TOPS else Path("tradewind", path)) not in names
    ]
    assert missing == []


def test_the_wheel_brings_no_top_level_name_but_tradewind_airflow_and_its_stubs(
    wheel: Path,
) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"tradewind"} | TOPS


def test_every_module_of_the_installed_wheel_can_be_imported(
    elsewhere: Path, tmp_path: Path
) -> None:
    code = (
        "import pkgutil, importlib, tradewind\n"
        "names = [m.name for m in pkgutil.walk_packages(tradewind.__path__, 'tradewind.')]\n"
        "names = [n for n in names if '.migrations.env' not in n and '.dags' not in n]\n"
        "[importlib.import_module(n) for n in names]\n"
        "print(len(names), tradewind.__file__)\n"
    )
    done = subprocess.run(
        [elsewhere / "python", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    count, place = done.stdout.split()
    assert int(count) > 50
    assert str(ROOT) not in place


def test_the_installed_command_runs_away_from_the_checkout(elsewhere: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [elsewhere / "tradewind", "version"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "TRADEWIND_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
