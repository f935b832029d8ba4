"""The store: named operations on the metadata database, each one transaction.

SIGNATURES (being filled in; ``now`` is aware UTC, ``actor`` is "user:NAME", "scheduler", "runner:ID" …)

open_store(settings: StoreSettings | None = None, clock=None) -> Store     # settings None: from conf; database/settings.py
Store.open(url, settings, clock) ; Store.in_memory(settings=None, clock=None) ; store.close() ; store.settings ; store.clock
StoreSettings(url, home, parallelism=32, lease_s=30.0, claim_deadline_s=60.0, map_length_max=1024, default_pool_slots=128,
              default_executor="LocalExecutor", fernet_key="", events_max=100_000, is_paused_at_creation=True)

store.files   .save(ParsedFile, now) -> SavedFile(new/changed dag ids) ; .load_all() -> list[FileRow] ; .forget(relative_path, now)
              .import_errors() -> list[FileRow] ; .without_dags() -> list[FileRow] ; .get(relative_path) -> FileRow | None
store.dags    .get(dag_id) -> DagRow (raises DagNotFound) ; .find(dag_id) ; .list(*, pattern=None, tags=(), is_paused=None, is_active=True,
              after=None, limit=100, offset=0, order="dag_id") -> list[DagRow] ; .count(...)
              .set_paused(dag_id, is_paused, now, actor) -> bool changed ; .serialized(dag_id) -> SerializedDag ; .version(version_id) -> SerializedDag
              .versions(dag_id) ; .source(dag_id, version_number=None) -> str ; .delete(dag_id, now, actor)
              .due(now, limit=100) -> list[DueDag] ; .unplanned(limit=100) -> list[DueDag] ; .planning_input(dag_id) -> DueDag
              .next_due_at() -> datetime | None ; .set_next_run(dag_id, PlannedRun | None, now)
              .last_runs(dag_ids, per_dag=14) -> dict[dag_id, list[RunRow]] ; .task_counts(...)
store.runs    .create(NewRun, now, next_run=UNCHANGED, actor="scheduler") -> int (raises DagRunExists, DagNotFound) ; .start_queued(now) -> Advanced
              .advance(dag_run_ids | None, now) -> Advanced ; .unfinished_ids() -> list[int] ; .next_timer_at(now) -> datetime | None
              .due_ids(now) -> list[int]  (running runs whose timer is due)
              .get(dag_id, run_id) -> RunRow (raises DagRunNotFound) ; .find(dag_id, run_id) ; .by_id(id) ; .list(dag_id=None, *, states=(), run_types=(),
              logical_from=None, logical_to=None, before_id=None, limit=25, offset=0, order="-run_after") ; .previous(dag_id, logical_date, state=None)
              .set_state(dag_id, run_id, state, now, actor) ; .set_note(dag_id, run_id, note, actor, now) ; .delete(dag_id, run_id, now, actor)
              .counts(dag_run_ids) -> dict[id, dict[state, n]]
store.attempts.queue(now) -> Advanced ; .claim(ClaimRequest, now) -> list[Claim]
              .finish(results, now, claim=None, started=()) -> Finished ; .entered(started: Sequence[Started], now)
              .give_back(claims|keys, now, reason) ; .expire_claims(now) -> int ; .find_fenced(worker_id) -> list[FencedAttempt] ; .live(worker_id) -> list[AttemptRow]
store.workers .register(WorkerIdentity, now) ; .renew(worker_id, now) -> bool (False: you are fenced) ; .stop(worker_id, now, reason)
              .expire(now) -> list[worker_id] ; .declare_dead(worker_id, now, reason) ; .list(states=("alive",)) ; .rebase_leases(now)
store.task_instances .get(dag_id, run_id, task_id, map_index=-1) -> TaskInstanceRow (raises TaskInstanceNotFound) ; .list(dag_id, run_id, ...) ; .find_many(...)
              .tries(dag_id, run_id, task_id, map_index=-1) -> list[AttemptRow] ; .rendered_fields(...) ; .save_rendered_fields(ti_id, fields)
              .clear(ClearRequest, now, actor) -> list[TaskInstanceRow] ; .mark(MarkRequest, now, actor) -> list[TaskInstanceRow] ; .snapshot(dag_run_id) -> RunSnapshot (for explain)
              .count(...) ; .states(...)
store.xcoms .set(...) .get_many(...) .delete(...) .list(...) ; store.variables .get/.set/.delete/.list ; store.connections .get/.set/.delete/.list (mappings)
store.pools .get/.list/.set/.delete ; store.users .create/.verify/.list/.delete/.get/.count/.set_password
store.backfills .plan/.create/.get/.list/.set_paused/.cancel ; store.events .since(id)/.list/.record/.last_id ; store.outbox .take/.done/.fail
store.processes .beat(kind, id, host, pid, now) / .list()      (health page: scheduler, dag_processor, …)
"""
