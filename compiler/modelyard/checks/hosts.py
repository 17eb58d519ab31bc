"""Check host names and addresses, ports that clouds block, and tokens shared between endpoints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from modelyard.checks.addresses import addresses
from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.check import hosts as problems
from modelyard.patterns import pattern
from modelyard.provider import Rule
from modelyard.source import Path
from modelyard.spec import SecretRef, System, TargetSpec, target_path

_NUMBER = pattern(r"[0-9]{1,3}(\.[0-9]{1,3}){3}")
_ENCRYPTED = frozenset({"https", "rediss"})
_SMTP = "25"


def mail(system: System) -> Iterator[Diagnostic]:
    """Require mail from a cloud to use the submission port, because clouds block port 25."""
    cloud = next((target for target in system.deployment.targets if target.in_cloud), None)
    for channel in system.channels.values() if cloud is not None else ():
        if channel.smarthost.rpartition(":")[2] == _SMTP:
            assert cloud is not None
            span = system.at("channels", channel.name, "smarthost")
            yield problems.mail_blocked(span, channel.name, cloud.name, channel.smarthost.rpartition(":")[0])


def names(system: System) -> Iterator[Diagnostic]:
    """Reject IP addresses for hosts that need a DNS name or a certificate."""
    for inference in system.inference.values():
        host = inference.endpoint.host
        if _NUMBER.fullmatch(host) and inference.endpoint.exposure != "cluster":
            yield problems.host_is_address(system.at("inference", inference.name, "endpoint", "host"), host)
    for what, url, path in _called(system):
        parts = urlsplit(url)
        if parts.scheme in _ENCRYPTED and _NUMBER.fullmatch(parts.hostname or ""):
            yield problems.certificate_of_address(system.at(*path), what, parts.hostname or "")
    for channel in system.channels.values():
        host = channel.smarthost.rpartition(":")[0]
        if _NUMBER.fullmatch(host):
            span = system.at("channels", channel.name, "smarthost")
            yield problems.certificate_of_address(span, f"the mail server of channel '{channel.name}'", host)


def _called(system: System) -> Iterator[tuple[str, str, Path]]:
    """Yield the URLs that workloads call, each with its name in messages and its location in the spec."""
    for address in addresses(system, frozenset()):
        yield address.what, address.url, address.path
    for target in system.deployment.targets:
        here = target_path(system, target.name)
        if target.telemetry.prometheus:
            yield (
                f"Prometheus of target '{target.name}'",
                target.telemetry.prometheus,
                (*here, "telemetry", "prometheus"),
            )
        if target.head_state is not None:
            yield f"Redis of target '{target.name}'", target.head_state.redis, (*here, "headState", "redis")


def tokens(system: System) -> Iterator[Diagnostic]:
    """Report tokens that are shared between endpoints or with other services."""
    opened: dict[tuple[SecretRef, str], str] = {}
    for inference in system.inference.values():
        for caller in inference.endpoint.auth.callers:
            secret = (caller.token, _secret_location(system.target(inference.target), caller.token))
            other = opened.setdefault(secret, inference.name)
            if other != inference.name:
                span = system.at("inference", inference.name, "endpoint", "auth", *caller.field)
                yield problems.endpoints_share_token(span, inference.name, f"endpoint '{other}'")
    for what, ref, path, targets in _other_secrets(system):
        endpoints = (opened.get((ref, _secret_location(target, ref))) for target in targets)
        endpoint = next(filter(None, endpoints), None)
        if endpoint is not None:
            yield problems.endpoints_share_token(system.at(*path), endpoint, what)


def _secret_location(target: TargetSpec, ref: SecretRef) -> str:
    """Return where a target stores a secret. Secrets of the same name in different clusters are distinct."""
    store = next((store for store in target.secret_stores if store.name == ref.store), None)
    if ref.store == "kubernetes" or (store is not None and store.via == "existing"):
        return f"namespace of {target.name}"
    return store.store if store is not None else ""


def _other_secrets(system: System) -> Iterator[tuple[str, SecretRef, Path, tuple[TargetSpec, ...]]]:
    """Yield all secrets except endpoint tokens: other tokens, passwords and secret addresses."""
    everywhere = system.deployment.targets
    for target in everywhere:
        here = target_path(system, target.name)
        if target.telemetry.secret is not None:
            what = f"metrics of target '{target.name}'"
            yield what, target.telemetry.secret, (*here, "telemetry", "secret"), (target,)
        if target.head_state is not None and target.head_state.password is not None:
            what = f"Redis of target '{target.name}'"
            yield what, target.head_state.password, (*here, "headState", "password"), (target,)
    if system.registry is not None and system.registry.credentials is not None:
        yield "the registry", system.registry.credentials, ("registry", "credentials"), everywhere
    for channel in system.channels.values():
        if channel.secret is not None:
            field = {"pagerduty": "key", "email": "password"}.get(channel.type, "url")
            yield f"channel '{channel.name}'", channel.secret, ("channels", channel.name, field), everywhere


RULES: Final[tuple[Rule, ...]] = (mail, names, tokens)
