"""Paths of Airflow 1.10 and early 2 whose objects moved to provider packages.

(path below ``airflow``, names, module below ``airflow.providers``). They are found where the
provider package is installed; else the error says which one is missing.
"""

from __future__ import annotations

FORWARDED: tuple[tuple[str, str, str], ...] = (
    ("hooks.S3_hook", "S3Hook", "amazon.aws.hooks.s3"),
    ("hooks.postgres_hook", "PostgresHook", "postgres.hooks.postgres"),
    ("hooks.mysql_hook", "MySqlHook", "mysql.hooks.mysql"),
    ("hooks.sqlite_hook", "SqliteHook", "sqlite.hooks.sqlite"),
    ("hooks.http_hook", "HttpHook", "http.hooks.http"),
    ("hooks.dbapi_hook", "DbApiHook", "common.sql.hooks.sql"),
    ("hooks.dbapi", "DbApiHook", "common.sql.hooks.sql"),
    ("sensors.http_sensor", "HttpSensor", "http.sensors.http"),
    ("operators.postgres_operator", "PostgresOperator", "postgres.operators.postgres"),
    ("operators.mysql_operator", "MySqlOperator", "mysql.operators.mysql"),
    ("operators.mssql_operator", "MsSqlOperator", "microsoft.mssql.operators.mssql"),
    ("operators.sqlite_operator", "SqliteOperator", "sqlite.operators.sqlite"),
    ("operators.hive_operator", "HiveOperator", "apache.hive.operators.hive"),
    ("operators.http_operator", "SimpleHttpOperator=HttpOperator", "http.operators.http"),
    ("operators.slack_operator", "SlackAPIPostOperator", "slack.operators.slack"),
    ("contrib.hooks.aws_hook", "AwsHook=AwsBaseHook", "amazon.aws.hooks.base_aws"),
    (
        "contrib.hooks.aws_lambda_hook",
        "AwsLambdaHook=LambdaHook",
        "amazon.aws.hooks.lambda_function",
    ),
    (
        "contrib.hooks.aws_dynamodb_hook",
        "AwsDynamoDBHook=DynamoDBHook",
        "amazon.aws.hooks.dynamodb",
    ),
    ("contrib.hooks.ssh_hook", "SSHHook", "ssh.hooks.ssh"),
    ("contrib.operators.ssh_operator", "SSHOperator", "ssh.operators.ssh"),
    (
        "contrib.operators.gcs_to_bq",
        "GoogleCloudStorageToBigQueryOperator=GCSToBigQueryOperator",
        "google.cloud.transfers.gcs_to_bigquery",
    ),
    (
        "contrib.operators.kubernetes_pod_operator",
        "KubernetesPodOperator",
        "cncf.kubernetes.operators.pod",
    ),
)
