"""What a task costs in DAGs of 100, 300 and 1,000 tasks, on a server and with ``dag.test()``.

    python benchmarks/dag_sizes.py                        # both, all shapes
    python benchmarks/dag_sizes.py --sizes 100 1000 --shapes chain
    python benchmarks/dag_sizes.py --no-server            # only ``python my_dag.py``

On a server: CPU milliseconds of all processes for each task instance, which should not grow with
the DAG. ``python my_dag.py``: CPU seconds of the whole process, the interpreter's start with it.
"""

from __future__ import annotations

import argparse
import os
import sys

from deployment import Deployment
from run import timed

#: Each is the body of a DAG with about ``N`` tasks of the function ``f``.
SHAPES = {
    "chain": """
    tasks = [f.override(task_id=f"t{i}")(i) for i in range(N)]
    for above, below in zip(tasks, tasks[1:]):
        above >> below
""",
    "wide": """
    for i in range(N):
        f.override(task_id=f"t{i}")(i)
""",
    "layers": """
    above = []
    for layer in range(50):
        tasks = [f.override(task_id=f"t{layer}_{i}")(i) for i in range(N // 50)]
        for one in above:
            one >> tasks
        above = tasks
""",
    "tree": """
    tasks = [f.override(task_id=f"t{i}")(i) for i in range(N)]
    for i in range(1, N):
        tasks[(i - 1) // 2] >> tasks[i]
""",
    "mapped": """
    f.expand(i=numbers())
""",
    "groups": """
    above = None
    for number in range(N // 10):
        with TaskGroup(f"g{number}") as group:
            tasks = [f.override(task_id=f"t{i}")(i) for i in range(10)]
            for one, below in zip(tasks, tasks[1:]):
                one >> below
        if above is not None:
            above >> group
        above = group
""",
    "branches": """
    above = None
    for i in range(N // 4):
        branch = follow.override(task_id=f"b{i}")(f"x{i}")
        join = f.override(task_id=f"j{i}", trigger_rule="none_failed_min_one_success")(1)
        branch >> [f.override(task_id=f"x{i}")(1), f.override(task_id=f"y{i}")(1)] >> join
        if above is not None:
            above >> branch
        above = join
""",
}
FILE = """
from datetime import datetime
from airflow.sdk import DAG, TaskGroup, task

N = {size}

@task
def f(i):
    return i

@task
def numbers():
    return list(range(N - 1))

@task.branch
def follow(task_id):
    return task_id

with DAG("{dag_id}", start_date=datetime(2025, 1, 1), schedule=None, max_active_tasks=512,
         is_paused_upon_creation=False) as dag:
{body}
if __name__ == "__main__":
    dag.test()
"""


def file_of(shape: str, size: int) -> str:
    """Return the DAG file of one shape and size."""
    return FILE.format(size=size, dag_id=f"{shape}_{size}", body=SHAPES[shape])


def measure_server(shapes: list[str], sizes: list[int]) -> None:
    """Print CPU milliseconds a task instance on a server that is up, all its processes."""
    dag_ids = [f"{shape}_{size}" for shape in shapes for size in sizes]
    files = {f"{s}_{n}.py": file_of(s, n) for s in shapes for n in sizes}
    with Deployment(files) as deployment:
        deployment.start()
        for dag_id in dag_ids:
            deployment.wait_for_dag(dag_id)
        deployment.run_to_end(dag_ids[0])  # warm: hosts are up
        print(f"{'server, CPU ms a task':24}" + "".join(f"{size:>9}" for size in sizes))
        for shape in shapes:
            figures = []
            for size in sizes:
                instances, cpu_s = deployment.run_to_end(f"{shape}_{size}")
                figures.append(cpu_s * 1000 / len(instances))
            print(f"{shape:24}" + "".join(f"{one:9.2f}" for one in figures), flush=True)


def measure_program(shapes: list[str], sizes: list[int]) -> None:
    """Print CPU seconds of ``python my_dag.py``, the whole process."""
    print(f"{'python my_dag.py, CPU s':24}" + "".join(f"{size:>9}" for size in sizes))
    files = {f"{s}_{n}.py": file_of(s, n) for s in shapes for n in sizes}
    with Deployment(files) as deployment:
        for shape in shapes:
            paths = [deployment.dags_folder / f"{shape}_{size}.py" for size in sizes]
            figures = [timed([sys.executable, path], deployment)[1] for path in paths]
            print(f"{shape:24}" + "".join(f"{one:9.2f}" for one in figures), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 300, 1000])
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("--server", action=argparse.BooleanOptionalAction, default=True)
    arguments = parser.parse_args()
    print(f"load average {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")
    if arguments.server:
        measure_server(arguments.shapes, arguments.sizes)
    measure_program(arguments.shapes, arguments.sizes)


if __name__ == "__main__":
    main()
