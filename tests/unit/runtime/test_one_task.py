import pytest
from tradewind.runtime.one_task import NoSuchInstance, OneTask
from tradewind.sdk.dag import DAG
from tradewind.sdk.task_decorators import task


def test_a_map_index_beyond_the_known_elements_is_refused():
    with DAG("d", schedule=None) as dag:

        @task
        def double(number):
            return number * 2

        double.expand(number=[1, 2, 3])

    OneTask(dag, "double", map_index=2)
    with pytest.raises(NoSuchInstance, match="has 3 instance"):
        OneTask(dag, "double", map_index=3)
