"""[celery] and what stands beside it, read into Celery's own settings. Imports no Celery.

Names are Airflow's (``docs/configuration.md``). What an option cannot mean here, because our
workers fork their own task processes, is listed in ``docs/compatibility.md``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ...sdk.configuration import conf
from ...sdk.errors import ConfigurationError

#: Airflow's default names a dictionary of its own provider; there is nothing to merge then.
_AIRFLOW_CONFIG_OPTIONS = "airflow.providers.celery.executors.default_celery.DEFAULT_CELERY_CONFIG"

#: A message is acknowledged within seconds; one that its worker took to the grave comes again.
VISIBILITY_TIMEOUT_S = 3600
#: How long a command may take Redis.
ANSWER_TIMEOUT_S = 15.0
_REDIS = ("redis", "rediss", "sentinel")


def read_broker_settings() -> dict[str, Any]:
    """Return Celery's settings as this installation has them.

    Raises:
        ConfigurationError: an option cannot be read, or the broker URL is none.
    """
    url = str(conf.get("celery", "broker_url") or "")
    scheme = urlsplit(url.split(";", 1)[0]).scheme
    if not scheme:
        raise ConfigurationError(
            "[celery] broker_url is not a URL; write redis://HOST:PORT/NUMBER or amqp://HOST//"
        )
    timeout_s = conf.getfloat("celery", "operation_timeout")
    settings: dict[str, Any] = {
        "broker_url": url,
        "broker_transport_options": _transport_options(scheme),
        "broker_connection_retry_on_startup": True,
        "broker_connection_timeout": max(timeout_s, 1.0),
        "broker_pool_limit": 4,
        "task_default_queue": conf.get("operators", "default_queue"),
        "task_serializer": "json",
        "accept_content": ["json"],
        "result_backend": None,
        "task_ignore_result": True,
        "task_acks_late": True,
        "task_publish_retry": False,  # the sender keeps what it could not send, and tries again
        "worker_prefetch_multiplier": 1,
        "worker_enable_remote_control": conf.getboolean("celery", "worker_enable_remote_control"),
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
    }
    ssl = _ssl_options(scheme)
    if ssl:
        settings["broker_use_ssl"] = ssl
    settings.update(_config_options())
    settings.update(_json_object("celery", "extra_celery_config"))
    return settings


def shown_url(url: str) -> str:
    """Return a broker's URL without its password, for people."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    return url.replace(f":{parts.password}@", ":***@", 1)


def broker_url() -> str:
    """Return the configured broker as people may see it."""
    return shown_url(str(conf.get("celery", "broker_url")))


def _transport_options(scheme: str) -> dict[str, Any]:
    section = "celery_broker_transport_options"
    options: dict[str, Any] = {}
    for key in conf.options(section):
        value = conf.get(section, key, None)
        if value not in (None, ""):
            options[key] = _typed(str(value))
    options.update(_json_object("celery", "broker_transport_options"))
    if scheme in (*_REDIS, "sqs"):
        options.setdefault("visibility_timeout", VISIBILITY_TIMEOUT_S)
    if scheme in _REDIS:
        options.setdefault("socket_keepalive", True)
        options.setdefault("socket_connect_timeout", conf.getfloat("celery", "operation_timeout"))
        # Else whoever speaks to a broker that is cut off waits for hours. The longest wait that
        # is meant is Celery's own for a message: a second.
        options.setdefault("socket_timeout", ANSWER_TIMEOUT_S)
    return options


def _typed(value: str) -> Any:
    """Read numbers, booleans and JSON as such; anything else is text."""
    try:
        return json.loads(value if value not in ("True", "False") else value.lower())
    except ValueError:
        return value


def _ssl_options(scheme: str) -> dict[str, Any]:
    if not conf.getboolean("celery", "ssl_active"):
        return {}
    import ssl

    files = {}
    needed = ["ssl_cacert"]
    if conf.getboolean("celery", "ssl_mutual_tls"):
        needed += ["ssl_key", "ssl_cert"]
    for key in needed:
        path = str(conf.get("celery", key) or "")
        if not Path(path).is_file():
            raise ConfigurationError(f"[celery] {key} must name a file: {path!r} is none")
        files[key] = path
    if scheme in _REDIS:
        names = {"ssl_cacert": "ssl_ca_certs", "ssl_key": "ssl_keyfile", "ssl_cert": "ssl_certfile"}
        required = "ssl_cert_reqs"
    else:
        names = {"ssl_cacert": "ca_certs", "ssl_key": "keyfile", "ssl_cert": "certfile"}
        required = "cert_reqs"
    return {**{names[key]: path for key, path in files.items()}, required: ssl.CERT_REQUIRED}


def _config_options() -> Mapping[str, Any]:
    named = conf.get("celery", "celery_config_options")
    if not named or named == _AIRFLOW_CONFIG_OPTIONS:
        return {}
    found = conf.getimport("celery", "celery_config_options")
    if not isinstance(found, Mapping):
        raise ConfigurationError(f"[celery] celery_config_options: {named} is not a dictionary")
    return found


def _json_object(section: str, key: str) -> Mapping[str, Any]:
    text = str(conf.get(section, key, "") or "").strip()
    if text in ("", "{}", "{{}}"):
        return {}
    value = conf.getjson(section, key)
    if not isinstance(value, dict):
        raise ConfigurationError(f"[{section}] {key} is not a JSON object: {text[:100]}")
    return value
