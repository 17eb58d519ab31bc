"""Tests that MLflow's Google Cloud database connection accepts only servers certified by its own authority.

The test server implements the beginning of PostgreSQL's protocol: it turns on TLS and responds to every login with an
error.
"""

from __future__ import annotations

import ast
import socket
import ssl
import struct
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from threading import Thread

import psycopg2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PROGRAM = Path(__file__).parents[2] / "golden" / "leads-on-google-default" / "main" / "workloads" / "__main__.py"
MOUNTED = "/etc/postgresql-services"
ANSWER = "the server has the login"
_SSL_REQUEST_BYTES = 8


class Authority:
    """A certificate authority and a server certificate that it has signed."""

    def __init__(self, name: str, folder: Path) -> None:
        key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
        own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        server = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "acme-leads:runs")])
        builder = x509.CertificateBuilder().issuer_name(own).not_valid_before(now - timedelta(hours=1))
        builder = builder.not_valid_after(now + timedelta(hours=1))
        server_key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = _pem(
            builder.subject_name(own)
            .public_key(key.public_key())
            .serial_number(1)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        signed = builder.subject_name(server).public_key(server_key.public_key()).serial_number(2)
        self.server = folder / f"{name}.pem"
        private = server_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self.server.write_bytes(private + _pem(signed.sign(key, hashes.SHA256())))


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Return the certificate authority of the database instance."""
    return Authority("ours", tmp_path_factory.mktemp("ours"))


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Return the certificate authority of another database instance with the same name."""
    return Authority("foreign", tmp_path_factory.mktemp("foreign"))


@pytest.fixture
def mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Mount the emitted libpq service file, and set the environment variables of MLflow's Pod."""
    (template,) = (
        str(node.value)
        for node in ast.walk(ast.parse(PROGRAM.read_text()))
        if isinstance(node, ast.Constant) and str(node.value).startswith("[database]")
    )
    filled = template.replace("{{ .username }}", "runs").replace("{{ .password }}", "secret")
    assert MOUNTED in filled
    (tmp_path / "services").write_text(filled.replace(MOUNTED, str(tmp_path)))
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    monkeypatch.setenv("PGSERVICE", "database")
    monkeypatch.setenv("PGHOST", str(IPv4Address("127.0.0.1")))
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "10")
    return tmp_path


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Yield a socket that listens on the database's port."""
    with socket.create_server(("127.0.0.1", 0)) as opened:
        monkeypatch.setenv("PGPORT", str(opened.getsockname()[1]))
        yield opened


def refusal(listener: socket.socket, server: Path | None) -> str:
    """Connect to a server with the given certificate, or without TLS, and return libpq's message."""
    answering = Thread(target=_answer, args=(listener, server), daemon=True)
    answering.start()
    with pytest.raises(psycopg2.OperationalError) as refused:
        psycopg2.connect("")
    answering.join(timeout=10)
    return str(refused.value)


def test_server_of_our_authority_gets_the_login(ours: Authority, mounted: Path, listener: socket.socket) -> None:
    (mounted / "authority.pem").write_bytes(ours.certificate)

    assert ANSWER in refusal(listener, ours.server)


def test_both_authorities_are_accepted_during_a_rotation(
    ours: Authority, foreign: Authority, mounted: Path, listener: socket.socket
) -> None:
    (mounted / "authority.pem").write_bytes(ours.certificate + foreign.certificate)

    assert ANSWER in refusal(listener, foreign.server)


def test_server_of_another_authority_gets_no_login(
    ours: Authority, foreign: Authority, mounted: Path, listener: socket.socket
) -> None:
    (mounted / "authority.pem").write_bytes(ours.certificate)
    message = refusal(listener, foreign.server)

    assert "certificate verify failed" in message
    assert ANSWER not in message


def test_server_without_tls_gets_no_login(ours: Authority, mounted: Path, listener: socket.socket) -> None:
    (mounted / "authority.pem").write_bytes(ours.certificate)

    assert "server does not support SSL" in refusal(listener, None)


def _answer(listener: socket.socket, server: Path | None) -> None:
    """Accept one connection. Respond to a login attempt with an error message."""
    connection, _ = listener.accept()
    with connection, suppress(OSError):  # a client that refuses the certificate closes the connection
        connection.settimeout(10)
        connection.recv(_SSL_REQUEST_BYTES)
        connection.sendall(b"S" if server else b"N")
        if server is None:
            return
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(server)
        with context.wrap_socket(connection, server_side=True) as encrypted:
            encrypted.recv(4096)
            fields = f"SFATAL\0C28000\0M{ANSWER}\0\0".encode()  # severity, code and message
            encrypted.sendall(b"E" + struct.pack("!i", len(fields) + 4) + fields)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
