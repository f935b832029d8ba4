"""The mail about a try that failed, or is to be repeated (semantics section 5.10)."""

from __future__ import annotations

from collections import ChainMap
from pathlib import Path
from typing import Any

from ...sdk.configuration import conf
from ...sdk.exceptions import AirflowConfigException, AirflowException

_SUBJECT = "Airflow alert: {{ ti }}"
_BODY = """Try {{ try_number }} out of {{ max_tries + 1 }}<br>
Exception:<br><pre>{{ exception_html }}</pre><br>
Log: <a href="{{ ti.log_url }}">Link</a><br>
Host: {{ ti.hostname }}<br>
Mark success: <a href="{{ ti.mark_success_url }}">Link</a><br>
"""


def send_failure_mail(task: Any, context: Any, *, reason: str, traceback: str) -> None:
    """Send it to the task's addresses, by the function of ``[email] email_backend``.

    Templates: the files of ``[email] subject_template`` and ``html_content_template``. They see
    the context, and ``exception``, ``exception_html``, ``try_number`` and ``max_tries``.

    Raises:
        AirflowConfigException: a template cannot be read.
        OSError: the mail server cannot be reached, or refuses the mail.
    """
    from html import escape

    from ...operators import mail  # late: few tasks send mail
    from ...sdk.template_environment import make_environment, render

    ti = context["ti"]
    names = ChainMap(
        {
            "exception": AirflowException(reason),
            "exception_html": escape(traceback or reason).replace("\n", "<br>\n"),
            "try_number": ti.try_number,
            "max_tries": ti.max_tries,
        },
        context,
    )
    environment = make_environment(None, is_native=False)

    def rendered(setting: str, default: str) -> str:
        return str(render(environment.from_string(_template(setting, default)), names))

    mail.send_email(
        mail.get_email_address_list(task.email),
        rendered("subject_template", _SUBJECT),
        rendered("html_content_template", _BODY),
    )


def _template(setting: str, default: str) -> str:
    path = conf.get("email", setting, fallback=None)
    if not path:
        return default
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise AirflowConfigException(
            f"[email] {setting} names {path}, which cannot be read: {error.strerror}"
        ) from error
