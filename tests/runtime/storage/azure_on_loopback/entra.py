"""Implements the subset of Microsoft Entra ID that exchanges ServiceAccount tokens for Azure tokens.

Source: https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes, 2026-11-27.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

HOST = "login.microsoftonline.com"
TENANT = "8c3f5ad3-1a5d-4b2e-9f5c-6d1f0a7e2b11"
STORAGE = "https://storage.azure.com"
ISSUER = f"https://sts.windows.net/{TENANT}/"
CLUSTER = "https://westeurope.oic.prod-aks.azure.com/cluster/"
_AUDIENCE = "api://AzureADTokenExchange"
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_HOUR_S = 3600

Answer = tuple[int, dict[str, object]]


@dataclass(frozen=True, slots=True)
class _Refused(Exception):
    error: str
    number: int
    description: str


class Entra:
    """A token authority that signs Azure tokens. It keeps the keys of trusted clusters by issuer."""

    def __init__(self) -> None:
        self._key = _key()
        self._next_key = self._key
        self._clusters: dict[str, rsa.RSAPrivateKey] = {}
        self._credentials: dict[str, tuple[str, str]] = {}
        self.lifetime_s = _HOUR_S
        self.issued = 0

    def accept(self, subject: str, issuer: str = CLUSTER) -> str:
        """Create an identity with a federated credential for a ServiceAccount and return its client ID."""
        client = str(uuid.uuid4())
        self._credentials[client] = (issuer, subject)
        return client

    def trust(self, issuer: str, key: rsa.RSAPrivateKey) -> None:
        """Accept tokens that a cluster signs with the given key."""
        self._clusters[issuer] = key

    def service_account_token(
        self, subject: str, lifetime_s: int = _HOUR_S, audience: str = _AUDIENCE, issuer: str = CLUSTER
    ) -> str:
        """Return a token like the tokens that a cluster projects into a Pod."""
        now = _now()
        times = {"iat": now, "nbf": now - 1, "exp": now + lifetime_s}
        claims = {"iss": issuer, "sub": subject, "aud": [audience], **times}
        return jwt.encode(claims, self._cluster(issuer), algorithm="RS256")

    def sign_with_another_key(self) -> None:
        """Sign the next token with a key that Azure does not know."""
        self._next_key = _key()

    def client_of(self, token: str) -> str:
        """Return the identity behind an Azure storage token. Raises `InvalidTokenError` for any other token."""
        claims = jwt.decode(token, self._key.public_key(), algorithms=["RS256"], audience=STORAGE, issuer=ISSUER)
        return str(claims["appid"])

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        """Respond to a request to the authority."""
        where = urlsplit(path).path
        if where == "/common/discovery/instance":
            return 200, _hosts()
        if where == f"/{TENANT}/v2.0/.well-known/openid-configuration":
            return 200, _endpoints()
        if method == "POST" and where == f"/{TENANT}/oauth2/v2.0/token":
            return self._token({name: values[0] for name, values in parse_qs(body.decode()).items()})
        return 404, {"error": "not_found"}

    def _token(self, form: dict[str, str]) -> Answer:
        try:
            client = self._client(form)
        except _Refused as problem:
            described = f"AADSTS{problem.number}: {problem.description} Trace ID: {uuid.uuid4()}"
            return 400, {"error": problem.error, "error_description": described, "error_codes": [problem.number]}
        now = _now()
        times = {"iat": now, "nbf": now - 1, "exp": now + self.lifetime_s}
        claims = {"aud": STORAGE, "iss": ISSUER, "appid": client, "tid": TENANT, "ver": "1.0", **times}
        self.issued += 1
        signed = jwt.encode(claims, self._next_key, algorithm="RS256", headers={"jti": str(self.issued)})
        self._next_key = self._key
        return 200, {"token_type": "Bearer", "expires_in": self.lifetime_s, "access_token": signed}

    def _client(self, form: dict[str, str]) -> str:
        client, scope = form.get("client_id", ""), form.get("scope", "")
        if (form.get("grant_type"), form.get("client_assertion_type")) != ("client_credentials", _ASSERTION):
            raise _Refused("unsupported_grant_type", 70003, "The app requested an unsupported grant type.")
        if client not in self._credentials:
            description = f"Application with identifier '{client}' was not found in the directory."
            raise _Refused("unauthorized_client", 700016, description)
        if scope.split()[0] != f"{STORAGE}/.default":
            raise _Refused("invalid_scope", 70011, f"The provided value for scope {scope} is not valid.")
        issuer, expected = self._credentials[client]
        subject = self._subject(form["client_assertion"], issuer)
        if subject != expected:
            description = f"No matching federated identity record found for presented assertion subject '{subject}'."
            raise _Refused("invalid_client", 700213, description)
        return client

    def _cluster(self, issuer: str) -> rsa.RSAPrivateKey:
        """Return a cluster's key, which is created on first use."""
        if issuer not in self._clusters:
            self._clusters[issuer] = _key()
        return self._clusters[issuer]

    def _subject(self, assertion: str, issuer: str) -> str:
        """Return the ServiceAccount named in a token, after verifying that the given cluster signed it."""
        key = self._cluster(issuer).public_key()
        try:
            presented = jwt.decode(assertion, options={"verify_signature": False}).get("iss")
            if presented != issuer:
                description = f"No federated identity record matches the presented assertion issuer '{presented}'."
                raise _Refused("invalid_client", 700211, description)
            claims = jwt.decode(assertion, key, algorithms=["RS256"], audience=_AUDIENCE, issuer=issuer)
        except jwt.ExpiredSignatureError:
            raise _Refused("invalid_client", 700024, "Client assertion is not within its valid time range.") from None
        except jwt.InvalidAudienceError:
            description = "No matching federated identity record found for presented assertion audience."
            raise _Refused("invalid_client", 700212, description) from None
        except jwt.InvalidTokenError as problem:
            raise _Refused("invalid_client", 50027, f"JWT token is invalid or malformed: {problem}.") from None
        return str(claims["sub"])


def _now() -> int:
    """Return the real time, even in tests that patch the clients' clock, `time.time`."""
    return int(datetime.now(UTC).timestamp())


def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _hosts() -> dict[str, object]:
    hosts = [HOST, "login.windows.net", "login.microsoft.com", "sts.windows.net"]
    return {
        "tenant_discovery_endpoint": f"https://{HOST}/{TENANT}/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [{"preferred_network": HOST, "preferred_cache": "login.windows.net", "aliases": hosts}],
    }


def _endpoints() -> dict[str, object]:
    return {
        "token_endpoint": f"https://{HOST}/{TENANT}/oauth2/v2.0/token",
        "authorization_endpoint": f"https://{HOST}/{TENANT}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"https://{HOST}/{TENANT}/oauth2/v2.0/devicecode",
        "issuer": f"https://{HOST}/{TENANT}/v2.0",
    }
