"""Many clients at once, and what a chain of tasks feels of them.

    python benchmarks/crowd.py                         # 200 clients for 60 seconds
    python benchmarks/crowd.py --clients 50 --seconds 10

One process plays all clients, each asking again as soon as it is answered, as nobody would in
earnest. The chain of 20 tasks runs over and over; its hops without the crowd are taken before,
in the same run, as the floor to compare with.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import itertools
import os
import statistics
import sys
import threading
import time

from deployment import Deployment
from floors import bare_commit_ms, bare_fork_ms
from run import CHAIN, HEAD

#: What clients ask for, in turns: lists, one thing, pages, health.
PATHS = (
    "/api/v2/dags",
    "/api/v1/dags/chain/dagRuns?limit=25&order_by=-start_date",
    "/api/v2/dags/~/dagRuns/~/taskInstances?limit=50&order_by=-start_date",
    "/api/v2/dags/chain",
    "/api/v2/pools",
    "/health",
)
#: Every n-th request of a client is a write.
WRITE_EVERY = 50
CLIENTS_NICENESS = 5
NOTE = b'{"is_paused": false}'


class Crowd:
    """Counts of answers, and how long each took in seconds."""

    def __init__(self, port: int, token: str, count: int) -> None:
        self.port, self.count = port, count
        self.head = f"Host: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
        self.answers: collections.Counter[str] = collections.Counter()
        self.took_s: list[float] = []
        self.ends_at = 0.0

    def run(self, seconds: float) -> None:
        """Ask for so many seconds."""
        # Clients are elsewhere in earnest: they must not take the server's time as its equals.
        own = os.getpriority(os.PRIO_PROCESS, 0)
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), own + CLIENTS_NICENESS)
        self.ends_at = time.monotonic() + seconds
        asyncio.run(self._all())

    async def _all(self) -> None:
        await asyncio.gather(*(self._client(number) for number in range(self.count)))

    async def _client(self, number: int) -> None:
        reader = writer = None
        turn = number
        while time.monotonic() < self.ends_at:
            turn += 1
            began = time.monotonic()
            try:
                if writer is None:
                    reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.write(self._request(turn))
                status, wait_s, is_kept = await asyncio.wait_for(self._answer(reader), 30)
                self.answers[status] += 1
                self.took_s.append(time.monotonic() - began)
                if not is_kept:
                    writer.close()
                    writer = None
                if wait_s:
                    await asyncio.sleep(min(wait_s, max(0.0, self.ends_at - time.monotonic())))
            except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
                self.answers[type(error).__name__] += 1
                writer = None

    def _request(self, turn: int) -> bytes:
        if turn % WRITE_EVERY == 0:
            more = f"Content-Type: application/json\r\nContent-Length: {len(NOTE)}\r\n\r\n"
            return f"PATCH /api/v2/dags/chain HTTP/1.1\r\n{self.head}{more}".encode() + NOTE
        return f"GET {PATHS[turn % len(PATHS)]} HTTP/1.1\r\n{self.head}\r\n".encode()

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[str, float, bool]:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        lines = head.split("\r\n")
        fields = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            fields[name.lower()] = value.strip()
        if "content-length" not in fields and lines[0].split()[1] not in ("204", "304"):
            raise OSError(f"an answer of unknown length: {head!r}")
        await reader.readexactly(int(fields.get("content-length", "0")))
        is_kept = fields.get("connection", "").lower() != "close"
        return lines[0].split()[1], float(fields.get("retry-after", "0")), is_kept


def hops(deployment: Deployment, until: float) -> tuple[list[float], list[float]]:
    """Run the chain until then; return ms from end to next start, and from start to start."""
    gaps: list[float] = []
    starts: list[float] = []
    while time.monotonic() < until:
        instances, _ = deployment.run_to_end("chain")
        ordered = sorted(instances, key=lambda one: one["started_at"])
        for first, second in itertools.pairwise(ordered):
            gaps.append((second["started_at"] - first["ended_at"]) * 1000)
            starts.append((second["started_at"] - first["started_at"]) * 1000)
    return gaps, starts


def percentile(values: list[float], share: float) -> float:
    """Return the value that *share* of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def show(name: str, values: list[float]) -> None:
    """Print one line."""
    median, high = statistics.median(values), percentile(values, 0.95)
    print(f"{name:44} p50 {median:8.1f}   p95 {high:8.1f}   n {len(values)}")


def main() -> int:
    """Measure, print, and return 1 where an answer was neither good nor by a limit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--setting", action="append", default=[], metavar="NAME=VALUE")
    given = parser.parse_args()
    print(f"load average {os.getloadavg()[0]:.1f}; bare fork {bare_fork_ms():.2f} ms, "
          f"bare commit {bare_commit_ms():.2f} ms")  # fmt: skip
    with Deployment({"chain.py": HEAD + CHAIN}) as deployment:
        deployment.environment.update(dict(one.split("=", 1) for one in given.setting))
        deployment.start()
        deployment.wait_for_dag("chain")
        token = deployment.command("tokens", "create", "-u", "admin", "-n", "crowd").strip()
        hops(deployment, time.monotonic() + 1)  # warm
        gaps, starts = hops(deployment, time.monotonic() + given.seconds / 6)
        show("alone: end to next start, ms", gaps)
        show("alone: start to next start, ms", starts)
        port = int(deployment.environment["TRADEWIND__API__PORT"])
        crowd = Crowd(port, token, given.clients)
        before_s = deployment.cpu_s()
        thread = threading.Thread(target=crowd.run, args=(given.seconds,))
        thread.start()
        gaps, starts = hops(deployment, time.monotonic() + given.seconds - 2)
        thread.join()
        show(f"{given.clients} clients: end to next start, ms", gaps)
        show(f"{given.clients} clients: start to next start, ms", starts)
        show("answers, ms", [one * 1000 for one in crowd.took_s])
        print(f"answers {dict(crowd.answers)}; {len(crowd.took_s) / given.seconds:.0f} a second; "
              f"CPU of the server {deployment.cpu_s() - before_s:.0f} s")  # fmt: skip
    bad = {status for status in crowd.answers if not status.startswith("2")} - {"429", "503"}
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
