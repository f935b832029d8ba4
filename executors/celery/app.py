"""The Celery application, made anew by each process that needs one."""

from __future__ import annotations

from celery import Celery
from celery.utils.nodenames import default_nodename, host_format
from kombu.transport import resolve_transport

from ...sdk.configuration import conf
from ...sdk.errors import ConfigurationError
from .settings import broker_url, read_broker_settings


class BrokerAway(ConfigurationError):
    """The broker that the settings name does not answer."""


def make_app() -> Celery:
    """Return an application as the settings say; nothing is connected yet.

    Raises:
        ConfigurationError: the settings cannot be read, or name a broker that Celery cannot use.
    """
    settings = read_broker_settings()
    app = Celery(conf.get("celery", "celery_app_name"), set_as_current=False)
    app.conf.update(settings)
    _check_transport(app)
    return app


def node_name(name: str | None) -> str:
    """Return the name under which Celery knows a worker; ``%h`` in it is the host's name."""
    return str(host_format(default_nodename(name)))


def check_broker(app: Celery, timeout_s: float = 5.0) -> None:
    """Make sure that the broker answers.

    Raises:
        BrokerAway: it does not, within *timeout_s* seconds.
    """
    connection = app.connection_for_write(connect_timeout=min(timeout_s, 2.0))
    options = connection.transport_options
    if "socket_timeout" in options:  # Redis: it may accept, and say nothing
        connection.transport_options = {**options, "socket_timeout": min(timeout_s, 2.0)}
    try:
        connection.ensure_connection(
            max_retries=2, interval_start=0.2, interval_step=0.3, timeout=timeout_s
        )
    except Exception as error:  # noqa: BLE001 - whatever a broker's client raises
        text = " ".join(str(error).split()) or type(error).__name__
        raise BrokerAway(
            f"The broker {broker_url()} does not answer ([celery] broker_url): {text}"
        ) from None
    finally:
        connection.release()


def _check_transport(app: Celery) -> None:
    name = ""
    try:
        connection = app.connection_for_write()
        name = connection.transport_cls or ""
        resolve_transport(name)
        connection.get_transport_cls()
    except ImportError as error:
        raise ConfigurationError(
            f"[celery] broker_url names {broker_url()}, which needs the package"
            f" {error.name}; install it"
        ) from None
    except Exception as error:  # noqa: BLE001 - whatever a broker's client raises
        raise ConfigurationError(
            f"[celery] broker_url names {broker_url()}, which Celery cannot use:"
            f" {' '.join(str(error).split())}"
        ) from None
