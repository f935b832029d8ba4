"""The page over https, with a certificate of one's own."""

from __future__ import annotations

import contextlib
import ssl
import subprocess
import sys
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


def write_certificate(folder: Path) -> tuple[Path, Path]:
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, SHA256())
    )
    paths = folder / "cert.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return paths


def test_the_page_is_served_over_https_with_secure_cookies(deployment) -> None:
    certificate, key = write_certificate(deployment.home)
    bad = deployment.cli("webserver", "--ssl-cert", str(certificate), code=1)
    assert "go together" in bad.stderr
    swapped = ("--ssl-cert", str(key), "--ssl-key", str(certificate))
    assert "cannot be used" in deployment.cli("webserver", *swapped, code=1).stderr
    command = Path(sys.executable).with_name("tradewind")
    with deployment.output_path.open("ab") as output:
        deployment.server = subprocess.Popen(
            [command, "webserver", "--ssl-cert", certificate, "--ssl-key", key],
            env=deployment.environment,
            cwd=deployment.home,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    context = ssl.create_default_context(cafile=str(certificate))
    url = f"https://localhost:{deployment.port}/login"

    def ask():
        with contextlib.suppress(OSError):
            return urllib.request.urlopen(url, context=context, timeout=10)
        return None

    answer = deployment.wait_until(ask, "an answer over https")

    assert "Secure" in answer.headers["Set-Cookie"]
    assert "with the password" in deployment.output_path.read_text()
