"""Diagnostics about targets, residency and secrets: E0401 to E0415."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from modelyard.diagnostics.base import Diagnostic, Severity, nearest, quote
from modelyard.source import Span

_MOST_REGIONS: Final = 4


def target_outside_mode(span: Span, target: str, provider: str, mode: str, allowed: str) -> Diagnostic:
    """The mode declares where a system runs, and every target must match it.

    `cloud` covers clouds and private clouds (`provider: kubernetes` with `tenancy: private-cloud`), `on-prem` covers
    your own clusters, `hybrid` covers both, `local` covers this machine.

    Wrong:

        deployment: {mode: on-prem, provider: aws, region: eu-central-1}

    Right:

        deployment: {mode: cloud, provider: aws, region: eu-central-1}
    """
    return Diagnostic(
        "E0401",
        Severity.ERROR,
        f"target {quote(target)} is on {provider}, but mode {mode} allows only {allowed}",
        span,
        "change the mode or the target",
    )


def hybrid_of_one_kind(span: Span, missing: str, mode: str) -> Diagnostic:
    """A hybrid system needs at least one target in a cloud and at least one on your own clusters.

    Wrong:

        deployment: {mode: hybrid, targets: {main: {provider: aws, region: eu-central-1}}}

    Right:

        deployment:
          mode: hybrid
          targets: {main: {provider: aws, region: eu-central-1}, stores: {provider: kubernetes}}
          placement: {default: main, inference: stores}
    """
    return Diagnostic(
        "E0402",
        Severity.ERROR,
        f"mode hybrid needs {missing} among the targets",
        span,
        f"add one, or set `mode: {mode}`",
    )


def residency_missing(span: Span, target: str, allowed: Iterable[str]) -> Diagnostic:
    """When governance restricts where data may be stored, every target must declare its location.

    In a cloud, the region implies it; for your own cluster, set `residency`.

    Wrong:

        governance: {residency: [eu], owner: …}
        deployment: {mode: on-prem, provider: kubernetes}

    Right:

        governance: {residency: [eu], owner: …}
        deployment: {mode: on-prem, provider: kubernetes, residency: eu}
    """
    return Diagnostic(
        "E0403",
        Severity.ERROR,
        f"target {quote(target)} does not declare its location, but governance allows only {', '.join(allowed)}",
        span,
        "set `residency` to the cluster's country or jurisdiction",
    )


def residency_outside(span: Span, subject: str, place: str, allowed: Iterable[str]) -> Diagnostic:
    """A target or store is outside the jurisdictions that governance allows.

    A country counts as part of its jurisdiction: `de` is in `eu`.

    Wrong:

        governance: {residency: [eu], owner: …}
        deployment: {mode: cloud, provider: aws, region: us-east-1}

    Right:

        governance: {residency: [eu], owner: …}
        deployment: {mode: cloud, provider: aws, region: eu-central-1}
    """
    return Diagnostic(
        "E0404",
        Severity.ERROR,
        f"{subject} is in {place}, but governance allows only {', '.join(allowed)}",
        span,
        "move it, or add the jurisdiction to `governance.residency`",
    )


def region_unknown(span: Span, region: str, provider: str, inside: Sequence[str], allowed: Iterable[str]) -> Diagnostic:
    """Governance restricts where data may be stored, but modelyard does not know where this region is.

    Only regions that governance allows are suggested (`inside`).

    Wrong:

        governance: {residency: [eu], owner: …}
        deployment: {mode: cloud, provider: aws, region: eu-centrall-1}

    Right:

        governance: {residency: [eu], owner: …}
        deployment: {mode: cloud, provider: aws, region: eu-central-1}
    """
    return Diagnostic(
        "E0405",
        Severity.ERROR,
        f"modelyard does not know the {provider} region {quote(region)}, so it cannot check residency",
        span,
        nearest(region, inside, "did you mean {}?") or _regions_of(provider, inside, allowed),
    )


def _regions_of(provider: str, inside: Sequence[str], allowed: Iterable[str]) -> str:
    """Return the first few regions of the provider that governance allows."""
    if not inside:
        return ""
    ending = ", …" if len(inside) > _MOST_REGIONS else ""
    return f"use a region in {' or '.join(allowed)}: {', '.join(inside[:_MOST_REGIONS])}{ending}"


def secret_store_unknown(span: Span, store: str, target: str, known: Iterable[str], via: str) -> Diagnostic:
    """A secret reference names a secret store that the target does not declare.

    `secret://kubernetes/NAME#KEY` reads a Secret in the namespace and needs no declaration. Every other store must
    declare how its secrets reach the cluster, for example `via: secrets-manager` on AWS.

    Wrong:

        deployment: {mode: on-prem, provider: kubernetes}
        channels: {oncall: {type: pagerduty, key: secret://vault/pagerduty#fraud}}

    Right:

        deployment:
          mode: on-prem
          provider: kubernetes
          secretStores: {vault: {via: external-secrets, store: vault}}
        channels: {oncall: {type: pagerduty, key: secret://vault/pagerduty#fraud}}
    """
    field = f", store: {store}" if via == "external-secrets" else ""
    return Diagnostic(
        "E0406",
        Severity.ERROR,
        f"target {quote(target)} has no secret store {quote(store)}",
        span,
        nearest(store, [*known, "kubernetes"], "did you mean {}?")
        or f"add `secretStores: {{{store}: {{via: {via}{field}}}}}` to the target",
    )


def secrets_of_a_cloud_elsewhere(span: Span, store: str, target: str, provider: str) -> Diagnostic:
    """Workloads read a cloud's secrets manager with an identity that only a cluster in that cloud has.

    Wrong:

        deployment: {mode: on-prem, provider: kubernetes, secretStores: {aws: {via: secrets-manager}}}

    Right:

        deployment: {mode: on-prem, provider: kubernetes, secretStores: {aws: {via: external-secrets, store: aws}}}
    """
    return Diagnostic(
        "E0413",
        Severity.ERROR,
        f"secret store {quote(store)} uses a cloud's secrets manager, but target {quote(target)} is on {provider}",
        span,
        "use `via: external-secrets` with a SecretStore in the cluster",
    )


def secret_literal(span: Span, path: str, looks_like: str) -> Diagnostic:
    """The spec contains a value that looks like a secret in clear text. The message does not repeat it.

    Many people read a spec, and version control keeps it forever. Also rotate the secret, because others may have seen
    it.

    Wrong:

        parameters: {warehouse: "postgresql://app:s3cr3t@db.internal/app"}

    Right: take the value out of the spec, and let the code read it from your company's secret store.
    """
    return Diagnostic(
        "E0407",
        Severity.ERROR,
        f"{path} looks like {looks_like}, but a spec must not contain secrets",
        span,
        "remove it here, and rotate the secret, because anyone who read this file has seen it",
        secret=True,
    )


def secret_reference_unread(span: Span, path: str) -> Diagnostic:
    """A secret reference is in a field that does not resolve secrets, so your code would receive it as plain text.

    Wrong:

        parameters: {password: secret://vault/warehouse#password}

    Right: use a field that accepts a secret, such as a store's `credentials`, an endpoint's `token` or a channel's
    `key`.
    """
    return Diagnostic(
        "E0408",
        Severity.ERROR,
        f"{path} does not resolve secrets, so your code would receive the reference as plain text",
        span,
        "use the `credentials` of a store, or remove the reference",
    )


def price_currency(span: Span, currency: str, budget: str) -> Diagnostic:
    """Machine prices must be in the budget's currency, because modelyard does not convert currencies.

    Wrong:

        governance: {budget: {monthly: 18000 USD}, owner: …}
        deployment: {mode: on-prem, provider: kubernetes, capacity: [{count: 3, …, price: 0.40 EUR}]}

    Right:

        deployment: {mode: on-prem, provider: kubernetes, capacity: [{count: 3, …, price: 0.44 USD}]}
    """
    return Diagnostic(
        "E0409",
        Severity.ERROR,
        f"the price is in {currency}, but the budget is in {budget}",
        span,
        f"state the price in {budget}",
    )


def binds_to_provider(span: Span, setting: str, number: int, total: int) -> Diagnostic:
    """A setting works on only one provider, which makes the spec less portable. Such settings are allowed, but counted.

    Wrong:

        data: {transactions: {uri: "s3://acme-lake/transactions/", format: parquet}}

    Right:

        stores: {lake: {type: object, adopt: acme-lake}}
        data: {transactions: {store: lake, path: transactions/, format: parquet}}
    """
    count = f" ({number} of {total})" if total > 1 else ""
    return Diagnostic("W0410", Severity.WARNING, f"{setting} ties the spec to one provider{count}", span)


def local_uri_on_cluster(span: Span, data: str, target: str) -> Diagnostic:
    """A cluster cannot read a file on this machine.

    Wrong:

        deployment: {mode: on-prem, provider: kubernetes}
        data: {transactions: {uri: "file:///data/transactions/", format: parquet}}

    Right:

        data: {transactions: {store: lake, path: transactions/, format: parquet}}
    """
    return Diagnostic(
        "E0411",
        Severity.ERROR,
        f"dataset {quote(data)} is a file on one machine, but target {quote(target)} is a cluster",
        span,
        "upload it to a store, and set `store` and `path`",
    )


def unused(span: Span, kind: str, name: str) -> Diagnostic:
    """An entry is declared but never used.

    It distracts readers, and its name is often misspelt where it should be used.

    Wrong:

        compute: {cpu: {cpu: 2, memory: 8Gi}, large: {cpu: 32, memory: 128Gi}}
        pipelines: {retrain: {type: training, model: fraud, inputs: [transactions], compute: cpu}}

    Right:

        compute: {cpu: {cpu: 2, memory: 8Gi}}
    """
    return Diagnostic("W0412", Severity.WARNING, f"{kind} {quote(name)} is never used", span, "use it, or remove it")


def image_moves(span: Span, image: str) -> Diagnostic:
    """The tag `latest` points to another image after every push.

    Two machines may run different images under the same name, a run cannot be reproduced, and neither a review nor
    modelyard.lock shows a change.

    Wrong:

        source: {image: "ghcr.io/acme/fraud-train:latest"}

    Right:

        source: {image: "ghcr.io/acme/fraud-train:1.8.2"}
    """
    return Diagnostic(
        "W0413",
        Severity.WARNING,
        f"image {quote(image)} changes with every push",
        span,
        "pin it to a release tag, or to its digest as NAME@sha256:…",
    )
