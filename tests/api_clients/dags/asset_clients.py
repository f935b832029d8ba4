"""An asset that one DAG makes and another waits for, an alias, and a task with a link."""

from airflow.sdk import DAG, Asset, AssetAlias, BaseOperator, BaseOperatorLink

orders = Asset("client_orders", uri="s3://clients/orders")
prices = Asset("client_prices", uri="s3://clients/prices")


class Manual(BaseOperatorLink):
    name = "Manual"

    def get_link(self, operator, *, ti_key):
        return f"https://localhost/{ti_key.task_id}"


class Make(BaseOperator):
    operator_extra_links = (Manual(),)

    def execute(self, context):
        return "made"


with DAG("asset_maker", schedule=None, tags=["assets"]):
    Make(task_id="make", outlets=[orders, AssetAlias("client_alias")])

with DAG("asset_reader", schedule=[orders, prices], tags=["assets"]):
    Make(task_id="read")
