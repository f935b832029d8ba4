"""A small OpenID Connect provider on this machine: real HTTP, real signatures."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from jwt.algorithms import RSAAlgorithm

KEY_ID = "one"


class Provider:
    """Signs in whoever ``claims`` says, without asking."""

    def __init__(self) -> None:
        self.key = generate_private_key(65537, 2048)
        self.signing_key = self.key
        self.claims: dict[str, Any] = {}
        self.changes: dict[str, Any] = {}
        self.codes: dict[str, dict[str, str]] = {}
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                if parts.path == "/authorize":
                    query = {name: some[0] for name, some in parse_qs(parts.query).items()}
                    self.send_response(302)
                    self.send_header("Location", provider.authorize(query))
                    self.end_headers()
                    return
                self.answer(provider.document(parts.path))

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                form = parse_qs(self.rfile.read(length).decode())
                self.answer(provider.token({name: some[0] for name, some in form.items()}))

            def answer(self, found: Any) -> None:
                body = json.dumps(found if found is not None else {"error": "none"}).encode()
                is_bad = found is None or "error" in found
                self.send_response(400 if is_bad else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def document(self, path: str) -> Any:
        if path == "/jwks":
            public = json.loads(RSAAlgorithm.to_jwk(self.key.public_key()))
            return {"keys": [{**public, "kid": KEY_ID, "use": "sig", "alg": "RS256"}]}
        if path == "/.well-known/openid-configuration":
            return {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/jwks",
                "id_token_signing_alg_values_supported": ["RS256"],
            }
        return None

    def authorize(self, query: dict[str, str]) -> str:
        """Return where a browser that asked is sent back to."""
        code = f"code{len(self.codes)}"
        self.codes[code] = query
        back = {"code": code, "state": query["state"]}
        return f"{query['redirect_uri']}?{urlencode(back)}"

    def token(self, form: dict[str, str]) -> dict[str, Any]:
        query = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if query is None or query.get("code_challenge") != challenge:
            return {"error": "invalid_grant"}
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": "tradewind",
            "iat": now,
            "exp": now + 60,
            "nonce": query["nonce"],
            **self.claims,
            **self.changes,
        }
        signed = jwt.encode(claims, self.signing_key, algorithm="RS256", headers={"kid": KEY_ID})
        return {"access_token": "x", "token_type": "Bearer", "id_token": signed}
