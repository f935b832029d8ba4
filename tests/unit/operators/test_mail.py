"""Mail: what is sent, to whom, through which server."""

import importlib.util
import sys
from pathlib import Path

import pytest
from tradewind.operators import mail
from tradewind.operators.email import EmailOperator
from tradewind.operators.smtp import SmtpHook, SmtpNotifier
from tradewind.sdk.exceptions import AirflowConfigException, AirflowNotFoundException

_spec = importlib.util.spec_from_file_location(
    "mail_server", Path(__file__).parents[2] / "mail_server.py"
)
mail_server = importlib.util.module_from_spec(_spec)
sys.modules.setdefault("mail_server", mail_server)
_spec.loader.exec_module(mail_server)


@pytest.fixture
def server(monkeypatch):
    made = mail_server.MailServer()
    for name, value in made.settings().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(mail, "RETRY_DELAY_S", 0.0)
    yield made
    made.close()


def test_an_operator_sends_text_files_and_headers_to_everybody(server, tmp_path):
    report = tmp_path / "report.csv"
    report.write_text("a,b\n1,2\n")
    operator = EmailOperator(
        task_id="tell",
        to="ada@example.com; bob@example.com",
        cc=["cc@example.com"],
        bcc="hidden@example.com",
        subject="Numbers für heute",
        html_content="<b>déjà vu</b>",
        files=[str(report)],
        custom_headers={"X-Team": "data"},
    )

    operator.execute({})

    [(recipients, message)] = server.mails
    assert recipients == [
        "ada@example.com", "bob@example.com", "cc@example.com", "hidden@example.com"
    ]  # fmt: skip
    assert str(message["Subject"]) == "Numbers für heute"
    assert message["To"] == "ada@example.com, bob@example.com"
    assert "hidden" not in message.as_string()
    assert message["X-Team"] == "data"
    text, attached = list(message.iter_parts())
    assert text.get_content().strip() == "<b>déjà vu</b>"
    assert attached.get_filename() == "report.csv"
    assert attached.get_content().strip() == "a,b\n1,2"


def test_a_line_break_in_a_header_begins_no_other_header(server):
    mail.send_email("ada@example.com", "Hello\nBcc: eve@example.com", "text")

    [(recipients, message)] = server.mails
    assert recipients == ["ada@example.com"]
    assert message["Bcc"] is None


def test_a_busy_server_is_asked_again(server):
    server.busy = 2

    mail.send_email(["ada@example.com"], "third time", "text")

    assert server.subjects() == ["third time"]


def test_a_server_that_stays_busy_is_given_up(server, monkeypatch):
    monkeypatch.setenv("TRADEWIND__SMTP__SMTP_RETRY_LIMIT", "2")
    server.busy = 5

    with pytest.raises(OSError, match="busy"):
        mail.send_email(["ada@example.com"], "never", "text")
    assert server.busy == 3


def test_no_server_is_said_with_the_settings_that_name_it(monkeypatch):
    monkeypatch.setenv("TRADEWIND__SMTP__SMTP_PORT", "1")
    monkeypatch.setenv("TRADEWIND__SMTP__SMTP_RETRY_LIMIT", "1")

    with pytest.raises(ConnectionRefusedError, match=r"localhost:1 .*smtp_host"):
        mail.send_email(["ada@example.com"], "x", "y")


def test_login_and_sender_come_from_the_connection(server, monkeypatch):
    monkeypatch.setenv(
        "AIRFLOW_CONN_SMTP_DEFAULT",
        '{"conn_type": "smtp", "login": "ada", "password": "engine-1843",'
        ' "extra": {"from_email": "engine@example.com"}}',
    )

    mail.send_email(["bob@example.com"], "hello", "text")

    [(_, message)] = server.mails
    assert message["From"] == "engine@example.com"
    assert len(server.logins) == 1


def test_a_connection_that_is_asked_for_and_missing_is_named():
    with pytest.raises(AirflowNotFoundException, match="other_server"):
        mail.smtp_server("other_server")


def test_an_own_backend_gets_every_mail(monkeypatch):
    sent = []
    module = type(sys)("my_mail")
    module.send = lambda to, subject, html, **more: sent.append((to, subject, more["conn_id"]))
    monkeypatch.setitem(sys.modules, "my_mail", module)
    monkeypatch.setenv("TRADEWIND__EMAIL__EMAIL_BACKEND", "my_mail.send")

    mail.send_email("ada@example.com", "hello", "text")

    assert sent == [(["ada@example.com"], "hello", "smtp_default")]


def test_a_backend_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setenv("TRADEWIND__EMAIL__EMAIL_BACKEND", "no.such.sender")

    with pytest.raises(AirflowConfigException, match=r"email_backend is 'no\.such\.sender'"):
        mail.send_email("ada@example.com", "hello", "text")


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        ("a@x.y", ["a@x.y"]),
        ("a@x.y, b@x.y;c@x.y", ["a@x.y", "b@x.y", "c@x.y"]),
        ("Ada Lovelace <a@x.y>, b@x.y", ["Ada Lovelace <a@x.y>", "b@x.y"]),
        (("a@x.y", "b@x.y"), ["a@x.y", "b@x.y"]),
        ("", []),
    ],
)
def test_addresses_are_cut_at_commas_semicolons_and_blanks(addresses, expected):
    assert mail.get_email_address_list(addresses) == expected


def test_something_else_than_text_is_no_address():
    with pytest.raises(TypeError):
        mail.get_email_address_list([1])


def test_a_hook_sends_and_tells_whether_its_server_answers(server):
    with SmtpHook() as hook:
        hook.send_email_smtp(to="ada@example.com", subject="by hook", html_content="x")

    assert server.subjects() == ["by hook"]
    assert SmtpHook().test_connection() == (True, "Connection successfully tested")


def test_a_notifier_renders_its_templates(server):
    notifier = SmtpNotifier(to="ada@example.com", subject="{{ word }}!", html_content="{{ word }}")

    notifier({"word": "done"})

    assert server.subjects() == ["done!"]
