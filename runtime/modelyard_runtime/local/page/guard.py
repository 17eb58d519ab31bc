"""Checks that requests contain the secret from the page URL, and adds security headers to responses."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Guard:
    """The access rules for one page.

    `key` is part of its URL so that other users of the machine can't open it. `token` is part of its forms so that
    other sites can't submit them.
    """

    port: int
    key: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    @property
    def hosts(self) -> frozenset[str]:
        """Return the host names under which browsers can reach the page."""
        return frozenset({f"127.0.0.1:{self.port}", f"localhost:{self.port}"})

    @property
    def url(self) -> str:
        """Return the address of the page, which ends with a slash."""
        return f"http://127.0.0.1:{self.port}/{self.key}/"

    def below(self, path: str) -> str | None:
        """Return a path relative to the page's own path, or None if it doesn't start with the key."""
        _, key, *rest = path.split("/", 2) if path.startswith("/") else ("", "")
        return rest[0] if rest and hmac.compare_digest(key.encode(), self.key.encode()) else None

    def misdirected(self, headers: Mapping[str, str]) -> bool:
        """Return whether a request names another host, as in a DNS rebinding attack."""
        return headers.get("host", "").lower() not in self.hosts

    def foreign(self, headers: Mapping[str, str], token: str) -> str:
        """Return why a form submission didn't come from this page, or "" if it did."""
        origin = headers.get("origin")
        if origin is not None and origin.lower() not in {f"http://{host}" for host in self.hosts}:
            return "the request comes from another site"
        if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            return "the request comes from another site"
        if not hmac.compare_digest(token.encode(), self.token.encode()):
            return "the page is from an earlier run; load it again"
        return ""


def headers_of(nonce: str) -> dict[str, str]:
    """Return the headers for every response, which only allow styles and scripts with the given nonce."""
    policy = {
        "default-src": "'none'",
        "script-src": f"'nonce-{nonce}'",
        "style-src": f"'nonce-{nonce}'",
        "connect-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
