"""A mail server for tests: takes what it is sent over SMTP and keeps it."""

from __future__ import annotations

import email
import email.policy
import socketserver
import threading
from email.message import EmailMessage
from typing import Any


class MailServer(socketserver.ThreadingTCPServer):
    """On a free port of loopback. ``busy`` counts down mails that it answers with 451."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.mails: list[tuple[list[str], EmailMessage]] = []
        self.logins: list[str] = []
        self.busy = 0
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}).start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def settings(self) -> dict[str, str]:
        """Return the environment that makes us send here."""
        return {
            "TRADEWIND__SMTP__SMTP_HOST": "127.0.0.1",
            "TRADEWIND__SMTP__SMTP_PORT": str(self.port),
            "TRADEWIND__SMTP__SMTP_STARTTLS": "false",
        }

    def subjects(self) -> list[str]:
        return [str(mail["Subject"]) for _, mail in self.mails]

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class _Conversation(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        server: Any = self.server
        recipients: list[str] = []
        self._say("220 ready")
        while line := self.rfile.readline():
            command = line.decode().strip()
            verb = command.upper().partition(" ")[0]
            if verb == "EHLO":
                self._say("250-here\r\n250 AUTH PLAIN")
            elif verb == "AUTH":
                server.logins.append(command)
                self._say("235 welcome")
            elif verb == "RCPT":
                recipients.append(command.partition("<")[2].partition(">")[0])
                self._say("250 ok")
            elif verb == "DATA":
                self._take(server, recipients)
            elif verb == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _take(self, server: Any, recipients: list[str]) -> None:
        self._say("354 go on")
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        if server.busy:
            server.busy -= 1
            self._say("451 busy, come back")
            return
        message = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
        server.mails.append((recipients, message))
        self._say("250 taken")

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())
