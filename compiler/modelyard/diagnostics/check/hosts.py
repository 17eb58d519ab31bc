"""Diagnostics about hosts, ports and tokens: W0910, W0912, E0913 and W0914."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def mail_blocked(span: Span, channel: str, target: str, host: str) -> Diagnostic:
    """Alerts from a cloud are sent to a mail server on port 25, which clouds block.

    AWS, Azure and Google Cloud block outgoing connections to port 25 unless an account is exempt. Programs submit mail
    on port 587.

    Wrong:

        channels: {oncall: {type: email, smarthost: "smtp.acme.example:25", to: …, from: …}}

    Right:

        channels: {oncall: {type: email, smarthost: "smtp.acme.example:587", to: …, from: …}}
    """
    return Diagnostic(
        "W0910",
        Severity.WARNING,
        f"channel {quote(channel)} sends mail on port 25, which the cloud of target {quote(target)} blocks",
        span,
        f"set {host}:587, where mail servers accept mail from programs",
    )


def endpoints_share_token(span: Span, endpoint: str, other: str) -> Diagnostic:
    """A token that opens one endpoint also opens another, or something else.

    Anyone who learns it, from a caller or a compromised server, can use both, and rotating it locks both out.

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
        f"one secret opens endpoint {quote(endpoint)} and {other}",
        span,
        "name a separate secret for each",
    )


def host_is_address(span: Span, host: str) -> Diagnostic:
    """The host of an endpoint is an IP address.

    Routes of a Gateway match the host name that a caller requests. The Gateway API does not allow addresses there, and
    certificates are issued for names.

    Wrong:

        inference: {scorer: {endpoint: {exposure: internal, host: 10.20.0.15}, …}}

    Right:

        inference: {scorer: {endpoint: {exposure: internal, host: scorer.acme.example}, …}}
    """
    return Diagnostic(
        "E0913",
        Severity.ERROR,
        f"{quote(host)} is an IP address, but a Gateway finds endpoints by name",
        span,
        "use a DNS name that resolves to this address",
    )


def certificate_of_address(span: Span, subject: str, host: str) -> Diagnostic:
    """TLS is used with an IP address, and certificates are issued for names.

    The connection fails unless the certificate names exactly this address, which public authorities hardly ever do.

    Wrong:

        stores: {lake: {type: object, endpoint: "https://10.20.0.15:9000", …}}

    Right:

        stores: {lake: {type: object, endpoint: "https://minio.acme.example:9000", …}}
    """
    return Diagnostic(
        "W0914",
        Severity.WARNING,
        f"{subject} uses TLS with {host}, an IP address, and certificates are issued for names",
        span,
        "use the name in its certificate",
    )
