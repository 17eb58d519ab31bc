"""Diagnostics about hosts, ports and the tokens that open them: W0910, W0912, E0913 and W0914."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def mail_blocked(span: Span, channel: str, target: str, host: str) -> Diagnostic:
    """Alerts from a cloud go to a mail server by port 25, which clouds close.

    AWS, Azure and Google Cloud let no connection to port 25 out to the internet unless an account is exempt. Mail is
    handed in by port 587.

    Wrong:

        channels: {oncall: {type: email, smarthost: "smtp.acme.example:25", to: …, from: …}}

    Right:

        channels: {oncall: {type: email, smarthost: "smtp.acme.example:587", to: …, from: …}}
    """
    return Diagnostic(
        "W0910",
        Severity.WARNING,
        f"channel {quote(channel)} sends mail by port 25, which the cloud of target {quote(target)} closes",
        span,
        f"write {host}:587, where mail servers take messages from programs",
    )


def endpoints_share_token(span: Span, endpoint: str, other: str) -> Diagnostic:
    """A token that opens one endpoint also opens another, or something else.

    Whoever learns it, from a caller or from a server that was broken into, can use both, and a rotation locks both out.

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
        "name a secret of its own for each",
    )


def host_is_address(span: Span, host: str) -> Diagnostic:
    """The host of an endpoint is an IP address.

    Routes of a Gateway go by the name that a caller asks for. The Gateway API takes no addresses there, and
    certificates are made out to names.

    Wrong:

        inference: {scorer: {endpoint: {exposure: internal, host: 10.20.0.15}, …}}

    Right:

        inference: {scorer: {endpoint: {exposure: internal, host: scorer.acme.example}, …}}
    """
    return Diagnostic(
        "E0913",
        Severity.ERROR,
        f"{quote(host)} is an address, and a Gateway finds endpoints by name",
        span,
        "write a DNS name that leads to this address",
    )


def certificate_of_address(span: Span, what: str, host: str) -> Diagnostic:
    """Something is called by TLS at an IP address, and certificates are made out to names.

    The connection fails unless the certificate names that very address, which public authorities hardly ever do.

    Wrong:

        stores: {lake: {type: object, endpoint: "https://10.20.0.15:9000", …}}

    Right:

        stores: {lake: {type: object, endpoint: "https://minio.acme.example:9000", …}}
    """
    return Diagnostic(
        "W0914",
        Severity.WARNING,
        f"{what} is called by TLS at {host}, and certificates are made out to names",
        span,
        "write the name that its certificate has",
    )
