"""DAGs about which runs there are and in what order their tasks go: see test_scheduling.py."""

from datetime import datetime, timedelta

from airflow.exceptions import AirflowFailException
from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
from airflow.sdk import DAG, Asset, TriggerRule, chain, dag, setup, task, teardown
from airflow.timetables.interval import CronDataIntervalTimetable
from words import WORDS

START = datetime(2024, 1, 1)
GOODS = Asset("goods", uri="s3://shop/goods")


@dag(
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"),
    start_date=START,
    end_date=datetime(2024, 1, 5),
    catchup=True,
    max_active_runs=2,
)
def caught_up():
    @task
    def interval(data_interval_start=None, data_interval_end=None, ds=None):
        return [data_interval_start.isoformat(), data_interval_end.isoformat(), ds]

    interval()


@dag(schedule=timedelta(days=1), start_date=START, end_date=datetime(2024, 1, 3), catchup=True)
def in_order():
    @task(depends_on_past=True)
    def one_after_another(ds=None, params=None):
        if ds == "2024-01-02":
            raise AirflowFailException("the second day is bad")

    one_after_another()


@dag(schedule="@daily", start_date=START)
def filled():
    @task
    def load(ds=None):
        return ds

    BashOperator(task_id="say", bash_command="echo {{ ti.xcom_pull('load') }}") << load()


@dag(schedule=None, max_active_runs=1)
def one_run_at_a_time():
    @task
    def pause():
        import time

        time.sleep(0.3)

    pause()


@dag(schedule=None)
def rules():
    """What each trigger rule makes of a failure, a skip and a success above it, in this order."""

    @task.branch(trigger_rule=TriggerRule.ALL_DONE)
    def choose():
        return "chosen"

    @task
    def fails():
        raise AirflowFailException("on purpose")

    chosen, other = EmptyOperator(task_id="chosen"), EmptyOperator(task_id="other")
    failed = fails()
    failed >> choose() >> [chosen, other]
    for rule in TriggerRule:
        below = EmptyOperator(task_id=f"after_{rule.value}", trigger_rule=rule)
        if rule is not TriggerRule.ALWAYS:
            chain([chosen, other, failed], below)


@dag(schedule=None)
def with_setup():
    @setup
    def make():
        return "a cluster"

    @task
    def breaks(cluster):
        raise AirflowFailException(f"{cluster} is no use")

    @teardown
    def remove(cluster):
        print("removing", cluster)

    cluster = make()
    breaks(cluster) >> remove(cluster)


@dag(schedule=None, dagrun_timeout=timedelta(seconds=1))
def too_long():
    @task
    def sleeps():
        import time

        time.sleep(60)

    sleeps() >> EmptyOperator(task_id="never")


@dag(schedule=None)
def in_a_pool():
    """The pool "narrow" has one slot: most urgent first, one after the other."""

    @task(pool="narrow")
    def takes_a_slot():
        import time

        time.sleep(0.1)

    for weight in (1, 3, 2):
        takes_a_slot.override(task_id=f"weight_{weight}", priority_weight=weight)()


with DAG("called", schedule=None):
    BashOperator(task_id="told", bash_command="echo {{ dag_run.conf['word'] }}")

with DAG("caller", schedule=None):
    TriggerDagRunOperator(
        task_id="call",
        trigger_dag_id="called",
        trigger_run_id="from_{{ run_id }}",
        conf={"word": WORDS[0]},
        wait_for_completion=True,
        poke_interval=1,
    )

with DAG("looked_at", schedule="@once", start_date=START, is_paused_upon_creation=False):
    EmptyOperator(task_id="done")

with DAG("looks", schedule="@once", start_date=START, is_paused_upon_creation=False):
    ExternalTaskSensor(
        task_id="look",
        external_dag_id="looked_at",
        external_task_id="done",
        mode="reschedule",
        poke_interval=0.5,
        timeout=60,
    )


@dag(schedule=None)
def makes_goods():
    @task(outlets=[GOODS])
    def make(outlet_events=None):
        outlet_events[GOODS].extra = {"pieces": 3}

    make()


@dag(schedule=[GOODS])
def takes_goods():
    @task
    def take(triggering_asset_events=None):
        (event,) = triggering_asset_events[GOODS]
        return event.extra["pieces"]

    take()


caught_up()
in_order()
filled()
one_run_at_a_time()
rules()
with_setup()
too_long()
in_a_pool()
makes_goods()
takes_goods()
