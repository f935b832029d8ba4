"""The connections that Airflow's own examples and guides expect to find."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..sdk.connection import Connection
from .connections import add_connection

if TYPE_CHECKING:
    from .services import Services

#: Id, type, and what else it has. They lead to services of the machine itself, or nowhere.
DEFAULTS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("airflow_db", "mysql", {"host": "mysql", "login": "root", "schema": "airflow"}),
    ("aws_default", "aws", {}),
    ("azure_default", "azure", {}),
    ("cassandra_default", "cassandra", {"host": "cassandra", "port": 9042}),
    ("databricks_default", "databricks", {"host": "localhost"}),
    ("elasticsearch_default", "elasticsearch", {"host": "localhost", "port": 9200}),
    ("emr_default", "emr", {}),
    ("fs_default", "fs", {"extra": '{"path": "/"}'}),
    ("ftp_default", "ftp", {"host": "localhost", "port": 21}),
    ("google_cloud_default", "google_cloud_platform", {"schema": "default"}),
    ("hive_cli_default", "hive_cli", {"host": "localhost", "port": 10000}),
    ("hiveserver2_default", "hiveserver2", {"host": "localhost", "port": 10000}),
    ("http_default", "http", {"host": "localhost"}),
    ("kafka_default", "kafka", {"extra": '{"bootstrap.servers": "broker:29092"}'}),
    ("kubernetes_default", "kubernetes", {}),
    ("livy_default", "livy", {"host": "livy", "port": 8998}),
    ("local_mysql", "mysql", {"host": "localhost", "login": "airflow", "schema": "airflow"}),
    ("mongo_default", "mongo", {"host": "mongo", "port": 27017}),
    ("mssql_default", "mssql", {"host": "localhost", "port": 1433}),
    ("mysql_default", "mysql", {"host": "mysql", "login": "root", "schema": "airflow"}),
    ("oracle_default", "oracle", {"host": "localhost", "port": 1521}),
    ("postgres_default", "postgres", {"host": "postgres", "login": "postgres", "port": 5432}),
    ("presto_default", "presto", {"host": "localhost", "port": 3400}),
    ("redis_default", "redis", {"host": "redis", "port": 6379}),
    ("sftp_default", "sftp", {"host": "localhost", "port": 22}),
    ("spark_default", "spark", {"host": "yarn"}),
    ("sqlite_default", "sqlite", {"host": "sqlite_default.db"}),
    ("ssh_default", "ssh", {"host": "localhost"}),
    ("trino_default", "trino", {"host": "localhost", "port": 3400}),
    ("vertica_default", "vertica", {"host": "localhost", "port": 5433}),
    ("wasb_default", "wasb", {}),
    ("webhdfs_default", "hdfs", {"host": "localhost", "port": 50070}),
)


def create_defaults(services: Services) -> list[str]:
    """Create those that are not there yet; return their ids. None that is there is touched."""
    known = {str(row["conn_id"]) for row in services.store.connections.list()}
    made = []
    for conn_id, conn_type, more in DEFAULTS:
        if conn_id not in known:
            fields = {"conn_id": conn_id, "conn_type": conn_type, **more}
            add_connection(services, Connection.from_fields(fields))
            made.append(conn_id)
    return made
