"""``SmtpHook`` and ``SmtpNotifier``: what the smtp provider offers, where it is not installed."""

from __future__ import annotations

import smtplib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from ..sdk.base_hook import BaseHook
from ..sdk.exceptions import AirflowException, AirflowNotFoundException
from ..sdk.notifier import BaseNotifier
from . import mail

#: What the notifier writes where it is told nothing else.
_SUBJECT = "DAG {{ dag.dag_id }}, task {{ ti.task_id }}: {{ ti.state }}"
_BODY = """<p>Run <b>{{ run_id }}</b> of DAG <b>{{ dag.dag_id }}</b>, task <b>{{ ti.task_id }}</b>,
try {{ ti.try_number }}: <b>{{ ti.state }}</b></p>
{% if exception %}<pre>{{ exception | e }}</pre>{% endif %}
<p><a href="{{ ti.log_url }}">Log</a></p>"""


class SmtpHook(BaseHook):
    """A connection to a mail server, as a context manager."""

    conn_name_attr = "smtp_conn_id"
    default_conn_name = "smtp_default"
    conn_type = "smtp"
    hook_name = "SMTP"

    def __init__(self, smtp_conn_id: str = "smtp_default", auth_type: str = "basic") -> None:
        super().__init__()
        if auth_type != "basic":
            raise AirflowException(
                f"auth_type {auth_type!r} needs the package apache-airflow-providers-smtp"
            )
        self.smtp_conn_id = smtp_conn_id
        self.auth_type = auth_type
        self._server: mail.SmtpServer | None = None
        self._client: smtplib.SMTP | None = None

    def get_conn(self) -> SmtpHook:
        """Read the connection and connect.

        Raises:
            AirflowNotFoundException: there is no such connection.
            OSError: the server cannot be reached, or refuses the login.
        """
        self._read_server()
        if self._client is None:
            self._client = mail.connect(self.server)
        return self

    def _read_server(self) -> None:
        if self._server is None:
            self._server = mail.smtp_server(self.smtp_conn_id)

    def __enter__(self) -> SmtpHook:
        return self.get_conn()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    @property
    def server(self) -> mail.SmtpServer:
        """Where mail goes."""
        self._read_server()
        assert self._server is not None  # noqa: S101 - the line above
        return self._server

    def send_email_smtp(
        self,
        *,
        to: str | Iterable[str],
        subject: str | None = None,
        html_content: str | None = None,
        from_email: str | None = None,
        files: list[str] | None = None,
        dryrun: bool = False,
        cc: str | Iterable[str] | None = None,
        bcc: str | Iterable[str] | None = None,
        mime_subtype: str = "mixed",
        mime_charset: str = "utf-8",
        custom_headers: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Send one mail.

        Raises:
            OSError: the server cannot be reached, or refuses the mail.
        """
        sender = from_email or self.server.mail_from
        message, recipients = mail.build_mime_message(
            sender,
            to,
            subject or self._template_of("subject_template") or "",
            html_content or self._template_of("html_content_template") or "",
            files,
            cc,
            bcc,
            mime_subtype,
            mime_charset,
            custom_headers,
        )
        if not dryrun:
            mail.deliver(self.server, sender, recipients, message)

    def _template_of(self, name: str) -> str | None:
        """Return the text of the file that an extra of the connection names, None without one."""
        try:
            path = self.get_connection(self.smtp_conn_id).extra_dejson.get(name)
        except AirflowNotFoundException:
            return None
        return Path(path).read_text(encoding="utf-8").strip() if path else None

    def test_connection(self) -> tuple[bool, str]:
        """Tell whether the server can be reached, and why not."""
        try:
            with self:
                return True, "Connection successfully tested"
        except Exception as error:  # noqa: BLE001 - the answer says what it was
            return False, str(error)


class SmtpNotifier(BaseNotifier):
    """Sends a mail about a task or a run: for callbacks.

    Args:
        to: addresses, as a list or as text with commas.
        subject: a template; None: DAG, task and state.
        html_content: a template; None: run, task, try, exception and a link to the log.
    """

    template_fields: Sequence[str] = (
        "from_email",
        "to",
        "subject",
        "html_content",
        "files",
        "cc",
        "bcc",
        "mime_subtype",
        "mime_charset",
        "custom_headers",
        "smtp_conn_id",
    )

    def __init__(
        self,
        to: str | Iterable[str],
        from_email: str | None = None,
        subject: str | None = None,
        html_content: str | None = None,
        files: list[str] | None = None,
        cc: str | Iterable[str] | None = None,
        bcc: str | Iterable[str] | None = None,
        mime_subtype: str = "mixed",
        mime_charset: str = "utf-8",
        custom_headers: Mapping[str, Any] | None = None,
        smtp_conn_id: str | None = None,
        auth_type: str = "basic",
        *,
        template: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.to = to
        self.from_email = from_email
        self.subject = subject if subject is not None else _SUBJECT
        if html_content is None:
            html_content = (
                Path(template).read_text(encoding="utf-8") if template is not None else _BODY
            )
        self.html_content = html_content
        self.files = files
        self.cc = cc
        self.bcc = bcc
        self.mime_subtype = mime_subtype
        self.mime_charset = mime_charset
        self.custom_headers = custom_headers
        self.smtp_conn_id = smtp_conn_id or SmtpHook.default_conn_name
        self.auth_type = auth_type

    @property
    def hook(self) -> SmtpHook:
        """The connection that the mail goes through."""
        return SmtpHook(self.smtp_conn_id, self.auth_type)

    def notify(self, context: Any) -> None:
        self.hook.send_email_smtp(
            to=self.to,
            subject=self.subject,
            html_content=self.html_content,
            from_email=self.from_email,
            files=self.files,
            cc=self.cc,
            bcc=self.bcc,
            mime_subtype=self.mime_subtype,
            mime_charset=self.mime_charset,
            custom_headers=self.custom_headers,
        )


send_smtp_notification = SmtpNotifier
