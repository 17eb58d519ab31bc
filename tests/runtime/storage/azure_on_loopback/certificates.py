"""A certificate authority and a single certificate for many host names, by default Azure's."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOSTS = ("login.microsoftonline.com", "*.blob.core.windows.net", "*.dfs.core.windows.net")
_DAY = timedelta(days=1)


class Certificates:
    """The files of a certificate authority and of a server certificate, which also covers 127.0.0.1."""

    def __init__(self, folder: Path, hosts: Iterable[str] = HOSTS) -> None:
        self.authority = folder / "ca.pem"
        self.server, self.server_key = folder / "server.pem", folder / "server.key"
        authority_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Clouds on loopback")])
        authority = _signed(name, name, authority_key, authority_key, x509.BasicConstraints(ca=True, path_length=0))
        named = [*(x509.DNSName(host) for host in hosts), x509.IPAddress(IPv4Address("127.0.0.1"))]
        server = _signed(x509.Name([]), name, server_key, authority_key, x509.SubjectAlternativeName(named))
        self.authority.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
        self.server.write_bytes(server.public_bytes(serialization.Encoding.PEM))
        self.server_key.write_bytes(
            server_key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )

    def of_server(self) -> ssl.SSLContext:
        """Return the TLS context for a server that uses the certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server, self.server_key)
        return context

    def of_client(self) -> ssl.SSLContext:
        """Return the TLS context for a client that trusts the authority."""
        return ssl.create_default_context(cafile=str(self.authority))


def _signed(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    by: ec.EllipticCurvePrivateKey,
    extension: x509.ExtensionType,
) -> x509.Certificate:
    now = datetime.now(UTC)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
        .add_extension(extension, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(identifier, critical=False)
        .sign(by, hashes.SHA256())
    )
