"""A home with the witness DAG in it, and what must hold of it in the end."""

from __future__ import annotations

from chaos_invariants import check_service_logs, find_violations, witness_edges
from chaos_witness import START, instances_per_run, read_marks, witness_dag
from deployment import Deployment
from tradewind.database.settings import StoreSettings
from tradewind.database.store import open_store
from tradewind.database.values import NewRun

WIDTH = 24


class Scene:
    """A deployment with the witness DAG in it."""

    def __init__(self, deployment: Deployment, width: int = WIDTH, **witness) -> None:
        self.deployment = deployment
        self.width = width
        self.runs = 0
        self.witness = deployment.home / "witness"
        text = witness_dag("witness", self.witness, width=width, **witness)
        deployment.write_dag("witness.py", text)
        deployment.start()
        deployment.wait_for_dag("witness")

    def trigger(self, count: int) -> None:
        settings = StoreSettings(url=self.database_url, home=self.deployment.home)
        store = open_store(settings)
        for _ in range(count):
            self.runs += 1
            now = store.clock.now()
            store.runs.create(NewRun("witness", f"run_{self.runs}", "manual", now), now)
        store.close()

    @property
    def database_url(self) -> str:
        return f"sqlite:///{self.deployment.home / 'tradewind.db'}"

    @property
    def instances(self) -> int:
        return self.runs * instances_per_run(self.width)

    def starts(self) -> int:
        return sum(mark.kind == START for mark in read_marks(self.witness))

    def violations(self) -> list[str]:
        home = self.deployment.home
        return find_violations(
            self.database_url,
            read_marks(self.witness),
            edges=witness_edges(self.width),
            log_folder=home / "logs",
        ) + check_service_logs([home / "server.out", *(home / "logs").glob("*.log")])
