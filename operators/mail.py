"""Mail: building a message, and handing it to the SMTP server that the settings name.

``[smtp]`` says where the server is, the connection ``[email] email_conn_id`` who we are there.
Used by ``EmailOperator``, the notifier, and the mails about failed and retried tasks; also what
``airflow.utils.email`` offers. Source: ``spec/semantics.md`` sections 5.10 and 7.8.
"""

from __future__ import annotations

import collections.abc
import functools
import logging
import mimetypes
import smtplib
import ssl
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Any

from ..sdk.configuration import conf
from ..sdk.connection import Connection
from ..sdk.exceptions import AirflowConfigException, AirflowNotFoundException, InvalidValueError
from ..sdk.secrets_lookup import find_connection

log = logging.getLogger(__name__)

DEFAULT_CONN_ID = "smtp_default"
#: Seconds before a refused message is tried again; doubled each time.
RETRY_DELAY_S = 0.5
_OWN_SENDERS = frozenset(
    {"airflow.utils.email.send_email_smtp", "airflow.utils.send_email_smtp", ""}
)


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail goes, and under whose name. ``timeout_s``: of each connection."""

    host: str
    port: int
    login: str | None
    password: str | None
    is_ssl: bool
    is_starttls: bool
    timeout_s: float
    tries_max: int
    mail_from: str
    #: "default": certificates are checked; "none": they are not.
    ssl_context: str = "default"


def send_email(
    to: str | Iterable[str],
    subject: str,
    html_content: str,
    files: list[str] | None = None,
    dryrun: bool = False,
    cc: str | Iterable[str] | None = None,
    bcc: str | Iterable[str] | None = None,
    mime_subtype: str = "mixed",
    mime_charset: str = "utf-8",
    conn_id: str | None = None,
    custom_headers: Mapping[str, Any] | None = None,
    **kwargs: Any,
) -> None:
    """Send one mail with the callable that ``[email] email_backend`` names.

    Raises:
        AirflowConfigException: the setting names nothing that can be imported.
        OSError: the server cannot be reached, or refuses the mail.
    """
    send = mail_backend()
    send(
        get_email_address_list(to),
        subject,
        html_content,
        files=files,
        dryrun=dryrun,
        cc=cc,
        bcc=bcc,
        mime_subtype=mime_subtype,
        mime_charset=mime_charset,
        conn_id=conn_id or conf.get("email", "email_conn_id", fallback=DEFAULT_CONN_ID),
        from_email=kwargs.pop("from_email", None) or conf.get("email", "from_email", fallback=None),
        custom_headers=custom_headers,
        **kwargs,
    )


def mail_backend() -> Callable[..., Any]:
    """Return the function that sends mail.

    Raises:
        AirflowConfigException: the setting names nothing that can be imported.
    """
    path = conf.get("email", "email_backend", fallback="") or ""
    if path in _OWN_SENDERS:
        return send_email_smtp
    from ..sdk.import_string import import_string

    try:
        found: Callable[..., Any] = import_string(path)
    except ImportError as error:
        raise AirflowConfigException(
            f"[email] email_backend is {path!r}, which cannot be imported: {error}"
        ) from error
    return found


def send_email_smtp(
    to: str | Iterable[str],
    subject: str,
    html_content: str,
    files: list[str] | None = None,
    dryrun: bool = False,
    cc: str | Iterable[str] | None = None,
    bcc: str | Iterable[str] | None = None,
    mime_subtype: str = "mixed",
    mime_charset: str = "utf-8",
    conn_id: str = DEFAULT_CONN_ID,
    from_email: str | None = None,
    custom_headers: Mapping[str, Any] | None = None,
    **kwargs: Any,
) -> None:
    """Send one mail by SMTP.

    Args:
        files: paths of files that go with it.
        dryrun: build it, and send nothing.

    Raises:
        OSError: the server cannot be reached, or refuses the mail.
    """
    server = smtp_server(conn_id)
    sender = from_email or server.mail_from
    message, recipients = build_mime_message(
        sender,
        to,
        subject,
        html_content,
        files,
        cc,
        bcc,
        mime_subtype,
        mime_charset,
        custom_headers,
    )
    if not dryrun:
        deliver(server, sender, recipients, message)


def send_mime_email(
    e_from: str,
    e_to: str | list[str],
    mime_msg: MIMEMultipart,
    conn_id: str = DEFAULT_CONN_ID,
    dryrun: bool = False,
) -> None:
    """Send a message that was built elsewhere.

    Raises:
        OSError: the server cannot be reached, or refuses the mail.
    """
    if not dryrun:
        deliver(smtp_server(conn_id), e_from, get_email_address_list(e_to), mime_msg)


def build_mime_message(
    mail_from: str | None,
    to: str | Iterable[str],
    subject: str,
    html_content: str,
    files: Sequence[str] | None = None,
    cc: str | Iterable[str] | None = None,
    bcc: str | Iterable[str] | None = None,
    mime_subtype: str = "mixed",
    mime_charset: str = "utf-8",
    custom_headers: Mapping[str, Any] | None = None,
) -> tuple[MIMEMultipart, list[str]]:
    """Return a message, and all who get it: bcc stands in the list only."""
    message = MIMEMultipart(mime_subtype)
    to_list = get_email_address_list(to)
    cc_list = get_email_address_list(cc) if cc else []
    bcc_list = get_email_address_list(bcc) if bcc else []
    message["Subject"] = _one_line(subject)
    if mail_from:
        message["From"] = _one_line(mail_from)
    message["To"] = ", ".join(to_list)
    if cc_list:
        message["CC"] = ", ".join(cc_list)
    message["Date"] = formatdate(localtime=True)
    message["Message-ID"] = make_msgid(domain="tradewind.invalid")
    message.attach(MIMEText(html_content, "html", mime_charset))
    for name in files or ():
        message.attach(_attachment(Path(name)))
    for header, value in (custom_headers or {}).items():
        del message[header]
        message[header] = _one_line(str(value))
    return message, [*to_list, *cc_list, *bcc_list]


def _attachment(path: Path) -> MIMEApplication:
    kind, _ = mimetypes.guess_type(path.name)
    part = MIMEApplication(path.read_bytes(), Name=path.name)
    if kind is not None:
        part.replace_header("Content-Type", f'{kind}; name="{path.name}"')
    part["Content-Disposition"] = f'attachment; filename="{path.name}"'
    return part


def get_email_address_list(addresses: str | Iterable[str]) -> list[str]:
    """Return addresses as a list; a text is cut at commas, semicolons and white space.

    Raises:
        TypeError: something else than text is among them.
    """
    if isinstance(addresses, str):
        text = addresses.replace(";", ",").replace("\n", ",").replace("\t", ",")
        # "Ada <ada@example.com>" has a blank within; plain addresses may be parted by one.
        if "<" not in text:
            text = text.replace(" ", ",")
        return [one.strip() for one in text.split(",") if one.strip()]
    if isinstance(addresses, collections.abc.Iterable):
        found = list(addresses)
        if not all(isinstance(one, str) for one in found):
            raise TypeError("The items in your iterable must be strings.")
        return found
    raise TypeError(f"Unexpected argument type: Received '{type(addresses).__name__}'.")


def smtp_server(conn_id: str | None = None) -> SmtpServer:
    """Return the server of ``[smtp]``, with what the connection *conn_id* says instead.

    Raises:
        AirflowNotFoundException: a connection that is not the default one is not there.
    """
    connection = find_connection(conn_id) if conn_id else None
    if connection is None and conn_id and conn_id != DEFAULT_CONN_ID:
        raise AirflowNotFoundException(
            f"there is no connection {conn_id!r} to send mail with: add it with "
            f"`tradewind connections add {conn_id} --conn-type smtp …`"
        )
    read = functools.partial(conf.get, "smtp", fallback=None)
    server = SmtpServer(
        host=conf.get("smtp", "smtp_host", fallback="localhost") or "localhost",
        port=conf.getint("smtp", "smtp_port", fallback=25),
        login=read("smtp_user") or None,
        password=read("smtp_password") or None,
        is_ssl=conf.getboolean("smtp", "smtp_ssl", fallback=False),
        is_starttls=conf.getboolean("smtp", "smtp_starttls", fallback=True),
        timeout_s=conf.getfloat("smtp", "smtp_timeout", fallback=30),
        tries_max=max(1, conf.getint("smtp", "smtp_retry_limit", fallback=5)),
        mail_from=conf.get("email", "from_email", fallback=None)
        or conf.get("smtp", "smtp_mail_from", fallback="airflow@example.com"),
        ssl_context=conf.get("email", "ssl_context", fallback="default") or "default",
    )
    return server if connection is None else _with_connection(server, connection)


def _with_connection(server: SmtpServer, connection: Connection) -> SmtpServer:
    """Return *server* as a connection of type smtp changes it; its extras as Airflow's hook."""
    extra = connection.extra_dejson
    is_own_server = bool(connection.host)
    is_ssl, is_starttls = server.is_ssl, server.is_starttls
    if is_own_server or "disable_ssl" in extra:
        is_ssl = not _is_on(extra.get("disable_ssl", not server.is_ssl))
    if is_own_server or "disable_tls" in extra:
        is_starttls = not _is_on(extra.get("disable_tls", not server.is_starttls))
    return SmtpServer(
        host=connection.host or server.host,
        port=connection.port or server.port,
        login=connection.login or server.login,
        password=connection.password or server.password,
        is_ssl=is_ssl,
        is_starttls=is_starttls and not is_ssl,
        timeout_s=float(extra.get("timeout", server.timeout_s)),
        tries_max=max(1, int(extra.get("retry_limit", server.tries_max))),
        mail_from=extra.get("from_email") or server.mail_from,
        ssl_context=str(extra.get("ssl_context") or server.ssl_context),
    )


def deliver(
    server: SmtpServer,
    sender: str,
    recipients: Sequence[str],
    message: MIMEMultipart | EmailMessage,
) -> None:
    """Hand a message over; where the server is away or busy, again, ``tries_max`` times in all.

    Raises:
        ValueError: there is nobody to send it to.
        OSError: it could not be handed over (``smtplib.SMTPException`` is one, too).
    """
    if not recipients:
        raise InvalidValueError("a mail needs at least one address")
    delay_s = RETRY_DELAY_S
    for attempt in range(1, server.tries_max + 1):
        try:
            with connect(server) as connection:
                connection.sendmail(sender, list(recipients), message.as_string())
            return
        except (OSError, smtplib.SMTPException) as error:
            is_final = attempt == server.tries_max or _is_refused_for_good(error)
            if is_final:
                raise
            log.info("mail to %s:%s failed, again: %s", server.host, server.port, error)
        time.sleep(delay_s)
        delay_s *= 2


def connect(server: SmtpServer) -> smtplib.SMTP:
    """Return a connection to a server on which mail can be sent.

    Raises:
        OSError: it cannot be reached, or the login is refused.
    """
    try:
        return _connect(server)
    except ConnectionRefusedError as error:
        raise ConnectionRefusedError(
            error.errno,
            f"nothing answers at the mail server {server.host}:{server.port} "
            "(settings [smtp] smtp_host, smtp_port, or the connection smtp_default)",
        ) from error


def _connect(server: SmtpServer) -> smtplib.SMTP:
    if server.is_ssl:
        connection: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, timeout=server.timeout_s, context=_tls(server)
        )
    else:
        connection = smtplib.SMTP(server.host, server.port, timeout=server.timeout_s)
    try:
        if server.is_starttls and not server.is_ssl:
            connection.starttls(context=_tls(server))
        if server.login and server.password:
            connection.login(server.login, server.password)
    except BaseException:
        connection.close()
        raise
    return connection


def _tls(server: SmtpServer) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if server.ssl_context == "none":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif server.ssl_context != "default":
        raise AirflowConfigException(
            f"[email] ssl_context is 'default' or 'none', not {server.ssl_context!r}"
        )
    return context


def _is_refused_for_good(error: Exception) -> bool:
    """Tell whether trying again is in vain: a login or a sender that the server does not take."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    if isinstance(error, smtplib.SMTPResponseException):
        return error.smtp_code >= 500
    return isinstance(error, smtplib.SMTPNotSupportedError | ssl.SSLCertVerificationError)


def _is_on(value: Any) -> bool:
    return str(value).strip().lower() in ("true", "t", "1", "yes")


def _one_line(text: str) -> str:
    # A line break in a header would begin another header.
    return " ".join(text.splitlines())
