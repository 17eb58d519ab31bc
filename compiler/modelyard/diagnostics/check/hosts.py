"""Diagnostics about hosts, ports and tokens: W0910, W0912, E0913 and W0914."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def mail_blocked(span: Span, channel: str, target: str, host: str) -> Diagnostic:
    """Alerts from a cloud are sent to a mail server on port 25, which clouds block.

    AWS, Azure and Google Cloud block outgoing connections to port 25 unless an account is exempt. Use port 587 to
    submit mail instead.

    Wrong:

        channels: {oncall: {type: email, smarthost: "smtp.acme.example:25", to: …, from: …}}

    Right:

        channels: {oncall: {type: email, smarthost: "smtp.acme.example:587", to: …, from: …}}
    """
    return Diagnostic(
        "W0910",
        Severity.WARNING,
        f"channel {quote(channel)} sends mail on port 25, which the cloud provider of target {quote(target)} blocks",
        span,
        f"use {host}:587, the standard port for submitting mail",
    )


def endpoints_share_token(span: Span, endpoint: str, other: str) -> Diagnostic:
    """The same token grants access to an endpoint and to another endpoint or service.

    Anyone who obtains it from a caller or a compromised server can use both, and rotating it locks out the callers of
    both.

    Wrong:

        inference:
          scorer: {endpoint: {auth: {type: bearer-token, token: secret://vault/api#token}}, …}
          ranker: {endpoint: {auth: {type: bearer-token, token: secret://vault/api#token}}, …}

    Right:

        inference:
          scorer: {endpoint: {auth: {type: bearer-token, token: secret://vault/scorer#token}}, …}
          ranker: {endpoint: {auth: {type: bearer-token, token: secret://vault/ranker#token}}, …}
    """
    return Diagnostic(
        "W0912",
        Severity.WARNING,
        f"endpoint {quote(endpoint)} and {other} share a secret",
        span,
        "use a separate secret for each",
    )


def host_is_address(span: Span, host: str) -> Diagnostic:
    """The host of an endpoint is an IP address.

    Gateway routes match the host name in a request. The Gateway API does not allow IP addresses there, and certificates
    are issued for names.

    Wrong:

        inference: {scorer: {endpoint: {exposure: internal, host: 10.20.0.15}, …}}

    Right:

        inference: {scorer: {endpoint: {exposure: internal, host: scorer.acme.example}, …}}
    """
    return Diagnostic(
        "E0913",
        Severity.ERROR,
        f"{quote(host)} is an IP address, but Gateway routes match host names",
        span,
        "use a DNS name that resolves to this address",
    )


def certificate_of_address(span: Span, subject: str, host: str) -> Diagnostic:
    """TLS is used with an IP address, but certificates are issued for names.

    The connection fails unless the certificate lists this exact address, and public authorities rarely issue such a
    certificate.

    Wrong:

        stores: {lake: {type: object, endpoint: "https://10.20.0.15:9000", …}}

    Right:

        stores: {lake: {type: object, endpoint: "https://minio.acme.example:9000", …}}
    """
    return Diagnostic(
        "W0914",
        Severity.WARNING,
        f"{subject} uses TLS with the IP address {host}, but certificates are issued for names",
        span,
        "use the host name in the certificate",
    )
