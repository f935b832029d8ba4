"""``PythonVirtualenvOperator``: a function runs in an environment of its own (section 7.3)."""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from ..sdk.connection import Connection
from ..sdk.exceptions import AirflowException, InvalidValueError
from .foreign_python import ForeignPythonOperator
from .skip_mixin import BranchMixIn

_READY = "tradewind-ready.json"


def is_venv_installed() -> bool:
    """Tell whether virtual environments can be made: always, with Python's own ``venv``.

    DAG files ask it before they declare such a task; some distributions leave ``venv`` out.
    """
    return find_spec("venv") is not None


class PythonVirtualenvOperator(ForeignPythonOperator):
    """Makes a virtual environment, installs *requirements*, and calls a function in it.

    Args:
        requirements: what pip installs: a list, or the text of a requirements file.
        python_version: of another interpreter on this machine, such as ``3.12``.
        system_site_packages: packages of the base interpreter are seen, too.
        pip_install_options, index_urls: of ``pip install``; ``[]``: no index at all.
        index_urls_from_connection_ids: connections whose host is an index; they come first.
        venv_cache_path: folder in which environments are kept for the next time.
    """

    template_fields: Sequence[str] = (
        "requirements",
        "index_urls",
        "index_urls_from_connection_ids",
        "venv_cache_path",
        *ForeignPythonOperator.template_fields,
    )
    template_ext: Sequence[str] = (".txt",)

    def __init__(
        self,
        *,
        requirements: Iterable[str] | str | None = None,
        python_version: str | float | None = None,
        system_site_packages: bool = True,
        pip_install_options: list[str] | None = None,
        index_urls: Sequence[str] | str | None = None,
        index_urls_from_connection_ids: Sequence[str] | str | None = None,
        venv_cache_path: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        same = python_version is None or _is_same_major(str(python_version))
        if not same and (self.op_args or self.op_kwargs):
            raise AirflowException(
                f"{self._name}: op_args and op_kwargs cannot be passed to another major version "
                "of Python; use string_args"
            )
        self.requirements: Any = (
            requirements if isinstance(requirements, str) else list(requirements or ())
        )
        self.python_version = None if python_version is None else str(python_version)
        self.system_site_packages = system_site_packages
        self.pip_install_options = list(pip_install_options or ())
        self.index_urls: Any = [index_urls] if isinstance(index_urls, str) else index_urls
        ids = index_urls_from_connection_ids
        self.index_urls_from_connection_ids: Any = [ids] if isinstance(ids, str) else ids
        self.venv_cache_path = venv_cache_path

    def _prepare_python(self, folder: Path) -> Path:
        if not self.venv_cache_path:
            return self._make(folder / "venv", folder)
        cache = Path(str(self.venv_cache_path))
        cache.mkdir(parents=True, exist_ok=True)
        recipe = self._recipe()
        digest = hashlib.sha256(recipe.encode()).hexdigest()[:8]
        place = cache / f"venv-{digest}"
        with _locked(cache / f"venv-{digest}.lock"):
            marker = place / _READY
            if marker.exists() and marker.read_text(encoding="utf-8") == recipe:
                self.log.info("Using the environment %s again", place)
                return place / "bin" / "python"
            shutil.rmtree(place, ignore_errors=True)  # one that was not finished
            python = self._make(place, folder)
            marker.write_text(recipe, encoding="utf-8")
            return python

    def _lines(self) -> list[str]:
        given = self.requirements
        lines = given.splitlines() if isinstance(given, str) else [str(one) for one in given]
        if self.serializer != "pickle" and not any(self.serializer in line for line in lines):
            lines.append(self.serializer)
        return [line for line in lines if line.strip()]

    def _recipe(self) -> str:
        """Return what makes two environments equal, as text."""
        from ..sdk.variable import Variable

        key = "python_virtualenv_operator_cache_key"
        return json.dumps(
            {
                "requirements": self._lines(),
                "python": self.python_version or sys.version.split()[0],
                "system_site_packages": self.system_site_packages,
                "pip_install_options": self.pip_install_options,
                "index_urls": None if self.index_urls is None else list(self.index_urls),
                "index_connections": list(self.index_urls_from_connection_ids or ()),
                "cache_key": Variable.get(key, default_var=""),
            }
        )

    def _make(self, place: Path, folder: Path) -> Path:
        options = ["--system-site-packages"] if self.system_site_packages else []
        lines = self._lines()
        if not lines:
            options.append("--without-pip")  # it is most of what making one costs
        self._run_or_fail([self._base_python(), "-m", "venv", *options, place])
        python = place / "bin" / "python"
        if lines:
            wanted = folder / "requirements.txt"
            # In the file, not among the arguments: everybody on the machine can read those.
            wanted.write_text("\n".join([*self._index_options(), *lines]), encoding="utf-8")
            command = [python, "-m", "pip", "install", "-r", wanted]
            self._run_or_fail([*command, *self.pip_install_options])
        return python

    def _index_options(self) -> list[str]:
        ids = self.index_urls_from_connection_ids or ()
        if self.index_urls is None and not ids:
            return []
        urls = [*map(package_index_url, ids), *(self.index_urls or ())]
        if not urls:
            return ["--no-index"]
        return [f"--index-url={urls[0]}", *(f"--extra-index-url={url}" for url in urls[1:])]

    def _base_python(self) -> str:
        if self.python_version is None:
            return sys.executable
        found = shutil.which(f"python{self.python_version}")
        if found is None:
            raise AirflowException(f"there is no python{self.python_version} on this machine")
        return found

    def _run_or_fail(self, command: Sequence[Any]) -> None:
        exit_code = self._run(command)
        if exit_code != 0:
            raise AirflowException(
                f"{Path(str(command[2])).name} failed with exit code {exit_code}"
            )


class BranchPythonVirtualenvOperator(PythonVirtualenvOperator, BranchMixIn):
    """The same, and the function's result says which tasks to follow."""

    def execute(self, context: Any) -> Any:
        return self.do_branch(context, super().execute(context))


def package_index_url(conn_id: str) -> str:
    """Return the address of the package index that a connection names, with its login.

    Raises:
        AirflowNotFoundException: there is no such connection.
        ValueError: it has no host.
    """
    connection = Connection.get(conn_id)
    url = connection.host or ""
    if not url:
        raise InvalidValueError(f"the connection {conn_id!r} needs a host: the index's address")
    if not (connection.login or connection.password):
        return url
    parts = urlsplit(url if "//" in url else f"//{url}")
    login = quote(connection.login or "", safe="")
    password = f":{quote(connection.password, safe='')}" if connection.password else ""
    return urlunsplit(parts._replace(netloc=f"{login}{password}@{parts.netloc}"))


def _is_same_major(version: str) -> bool:
    return version.partition(".")[0] == str(sys.version_info.major)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep other tasks from making the same environment at the same time."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
