"""One task mapped over many elements: wall time, CPU per instance, peak memory, slowest tick.

    python benchmarks/mapping.py                 # 10,000 instances
    python benchmarks/mapping.py --instances 1000 --parallelism 32

A bystander DAG is triggered again and again meanwhile: how long it waits shows whether anything
else is held up. A tick of the scheduler above 250 ms is in its log (``slow tick``).
"""

from __future__ import annotations

import argparse
import re
import statistics
import threading
import time

from deployment import Deployment

DAGS = """
from datetime import datetime
from airflow.sdk import DAG, task

@task
def numbers():
    return list(range({instances}))

@task
def one(i):
    return i

@task
def how_many(values):
    return len(values)

with DAG("mapped", start_date=datetime(2025, 1, 1), schedule=None, max_active_tasks=512,
         is_paused_upon_creation=False):
    how_many(one.expand(i=numbers()))

with DAG("bystander", start_date=datetime(2025, 1, 1), schedule=None,
         is_paused_upon_creation=False):
    one.override(priority_weight=100)(1)
"""


class Sampler(threading.Thread):
    """Watches memory, and starts the bystander every few seconds."""

    def __init__(self, deployment: Deployment) -> None:
        super().__init__(daemon=True)
        self.deployment = deployment
        self.peak_mb = 0.0
        self.is_over = threading.Event()

    def run(self) -> None:
        number = 0
        while not self.is_over.wait(2.0):
            self.peak_mb = max(self.peak_mb, self.deployment.pss_mb())
            self.deployment.command("dags", "trigger", "bystander", "--run-id", f"b{number}")
            number += 1


def bystander_waits_ms(deployment: Deployment) -> list[float]:
    """Return for each run of the bystander how long it took from its creation to its task."""
    rows = deployment.query(
        "select (julianday(t.started_at) - julianday(r.queued_at)) * 86400000 as ms"
        " from task_instance t join dag_run r on r.id = t.dag_run_id"
        " where r.dag_id = 'bystander' and t.started_at is not null"
    )
    return [row["ms"] for row in rows]


def main() -> None:
    """Measure, and print one line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, default=10_000)
    parser.add_argument("--parallelism", type=int, default=16)
    arguments = parser.parse_args()
    count = arguments.instances
    with Deployment({"mapped.py": DAGS.format(instances=count)}) as deployment:
        deployment.environment |= {
            "TRADEWIND__CORE__MAX_MAP_LENGTH": str(count),
            "TRADEWIND__CORE__PARALLELISM": str(arguments.parallelism),
        }
        deployment.start()
        deployment.wait_for_dag("mapped")
        deployment.run_to_end("bystander")
        before_s, started_s = deployment.cpu_s(), time.monotonic()
        sampler = Sampler(deployment)
        deployment.command("dags", "trigger", "mapped", "--run-id", "r")
        sampler.start()
        wait_for_run(deployment)
        wall_s, cpu_s = time.monotonic() - started_s, deployment.cpu_s() - before_s
        sampler.is_over.set()
        sampler.join()
        log = (deployment.home / "server.out").read_text(errors="replace")
        slow_ms = [float(found) for found in re.findall(r"slow tick: (\d+) ms", log)]
        cpu_ms = [float(found) for found in re.findall(r"slow tick: .* (\d+) ms of CPU", log)]
        waits = bystander_waits_ms(deployment)
    print(f"instances              {count}")
    print(f"wall                   {wall_s:.1f} s, {wall_s / count * 1000:.2f} ms each")
    print(f"CPU of the server      {cpu_s:.1f} s, {cpu_s / count * 1000:.2f} ms each")
    print(f"peak memory (PSS)      {sampler.peak_mb:.0f} MB, all processes")
    print(f"ticks above 250 ms     {len(slow_ms)}, the slowest {max(slow_ms, default=0):.0f} ms")
    print(f"CPU of a slow tick     {max(cpu_ms, default=0):.0f} ms at most")
    print(
        f"a bystander waited     {statistics.median(waits):.0f} ms in the middle,"
        f" {max(waits):.0f} ms at most, {len(waits)} runs"
    )


def wait_for_run(deployment: Deployment, limit_s: float = 3600) -> None:
    """Wait for the end of the mapped run."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        rows = deployment.query("select state from dag_run where run_id = 'r'")
        if rows and rows[0]["state"] in ("success", "failed"):
            if rows[0]["state"] != "success":
                raise RuntimeError("the mapped run failed")
            return
        time.sleep(0.2)
    raise TimeoutError(f"the mapped run did not end within {limit_s:.0f} s")


if __name__ == "__main__":
    main()
