"""What is told about targets, residency and secrets: E0401 to E0415."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from modelyard.diagnostics.base import Diagnostic, Severity, nearest, quote
from modelyard.source import Span

_MOST_REGIONS: Final = 4


def target_outside_mode(span: Span, target: str, provider: str, mode: str, allowed: str) -> Diagnostic:
    """The mode says in one word where a system runs, and every target must be of that kind.

    `cloud` is clouds and private clouds (`provider: kubernetes` with `tenancy: private-cloud`), `on-prem` is clusters
    of your own, `hybrid` is both, `local` is this machine.

    Wrong:

        deployment: {mode: on-prem, provider: aws, region: eu-central-1}

    Right:

        deployment: {mode: cloud, provider: aws, region: eu-central-1}
    """
    return Diagnostic(
        "E0401",
        Severity.ERROR,
        f"target {quote(target)} is {provider}, and mode {mode} allows {allowed}",
        span,
        "change the mode, or the target",
    )


def hybrid_of_one_kind(span: Span, missing: str, mode: str) -> Diagnostic:
    """A hybrid system has at least one target in a cloud and at least one cluster of your own.

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
        f"mode hybrid needs {missing} among its targets",
        span,
        f"add one, or say mode: {mode}",
    )


def residency_missing(span: Span, target: str, allowed: Iterable[str]) -> Diagnostic:
    """When governance limits where data may lie, every cluster says where it stands.

    A cloud's region tells it; of a cluster of your own only you know it.

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
        f"target {quote(target)} does not say where it stands, and governance allows {', '.join(allowed)} alone",
        span,
        "add residency: with the country or jurisdiction of the cluster",
    )


def residency_outside(span: Span, what: str, place: str, allowed: Iterable[str]) -> Diagnostic:
    """A target or store lies outside of the jurisdictions that governance allows.

    A country counts as part of its jurisdiction: `de` lies in `eu`.

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
        f"{what} lies in {place}, and governance allows {', '.join(allowed)} alone",
        span,
        "move it, or add the jurisdiction to governance.residency",
    )


def region_unknown(span: Span, region: str, provider: str, inside: Sequence[str], allowed: Iterable[str]) -> Diagnostic:
    """Governance limits where data may lie, and it is not known where this region is.

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
        f"{provider} has no region {quote(region)} that is known here, so its residency is not known either",
        span,
        nearest(region, inside, "did you mean {}?") or _regions_of(provider, inside, allowed),
    )


def _regions_of(provider: str, inside: Sequence[str], allowed: Iterable[str]) -> str:
    """The first regions of a provider that governance allows."""
    if not inside:
        return ""
    rest = ", …" if len(inside) > _MOST_REGIONS else ""
    return f"{provider} in {' or '.join(allowed)}: {', '.join(inside[:_MOST_REGIONS])}{rest}"


def secret_store_unknown(span: Span, store: str, target: str, known: Iterable[str], via: str) -> Diagnostic:
    """A secret is read from a store of secrets that the target does not declare.

    `secret://kubernetes/NAME#KEY` reads a Secret of the namespace and needs no declaration; every other store says
    how its secrets reach the cluster: on AWS `via: secrets-manager`, for one.

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
    named = f", store: {store}" if via == "external-secrets" else ""
    return Diagnostic(
        "E0406",
        Severity.ERROR,
        f"target {quote(target)} has no secret store {quote(store)}",
        span,
        nearest(store, [*known, "kubernetes"], "did you mean {}?")
        or f"add secretStores: {{{store}: {{via: {via}{named}}}}} to the target",
    )


def secret_literal(span: Span, path: str, looks_like: str) -> Diagnostic:
    """Something that looks like a secret stands in the spec in clear. Its value is not repeated here.

    A spec is read by many and kept forever. Replace the value at its source too, since it has been seen.

    Wrong:

        parameters: {warehouse: "postgresql://app:s3cr3t@db.internal/app"}

    Right: take the value out of the spec, and let the code read it from where your company keeps its secrets.
    """
    return Diagnostic(
        "E0407",
        Severity.ERROR,
        f"{path} looks like {looks_like}, and a spec holds no secrets",
        span,
        "remove it here, and replace the secret itself: whoever read this file has seen it",
        secret=True,
    )


def secret_reference_unread(span: Span, path: str) -> Diagnostic:
    """A secret reference stands where no secret is read, so user code would receive the reference as plain text.

    Wrong:

        parameters: {password: secret://vault/warehouse#password}

    Right: put it into a field that holds a secret, such as `credentials` of a store, `token` of an endpoint or `key`
    of a channel.
    """
    return Diagnostic(
        "E0408",
        Severity.ERROR,
        f"{path} is no place where secrets are read; the reference would arrive as plain text",
        span,
        "use the credentials of a store, or remove it",
    )


def price_currency(span: Span, currency: str, budget: str) -> Diagnostic:
    """Prices of machines are in the currency of the budget: nothing here knows a rate of exchange.

    Wrong:

        governance: {budget: {monthly: 18000 USD}, owner: …}
        deployment: {mode: on-prem, provider: kubernetes, capacity: [{count: 3, …, price: 0.40 EUR}]}

    Right:

        deployment: {mode: on-prem, provider: kubernetes, capacity: [{count: 3, …, price: 0.44 USD}]}
    """
    return Diagnostic(
        "E0409",
        Severity.ERROR,
        f"the price is in {currency}, and the budget in {budget}",
        span,
        f"say the price in {budget}",
    )


def binds_to_provider(span: Span, what: str, number: int, total: int) -> Diagnostic:
    """What only one provider understands is allowed, and counted: the spec cannot move while it is there.

    Wrong:

        data: {transactions: {uri: "s3://acme-lake/transactions/", format: parquet}}

    Right:

        stores: {lake: {type: object, adopt: acme-lake}}
        data: {transactions: {store: lake, path: transactions/, format: parquet}}
    """
    count = f" ({number} of {total})" if total > 1 else ""
    return Diagnostic("W0410", Severity.WARNING, f"{what} binds the spec to one provider{count}", span)


def local_uri_on_cluster(span: Span, data: str, target: str) -> Diagnostic:
    """A file of this machine is not there on a cluster.

    Wrong:

        deployment: {mode: on-prem, provider: kubernetes}
        data: {transactions: {uri: "file:///data/transactions/", format: parquet}}

    Right:

        data: {transactions: {store: lake, path: transactions/, format: parquet}}
    """
    return Diagnostic(
        "E0411",
        Severity.ERROR,
        f"dataset {quote(data)} is a file of one machine, and target {quote(target)} is a cluster",
        span,
        "put it into a store, and name store: and path:",
    )


def unused(span: Span, kind: str, name: str) -> Diagnostic:
    """Something is declared and used by nothing.

    It costs attention, and often the name is misspelt where it was meant to be used.

    Wrong:

        compute: {cpu: {cpu: 2, memory: 8Gi}, large: {cpu: 32, memory: 128Gi}}
        pipelines: {retrain: {type: training, model: fraud, inputs: [transactions], compute: cpu}}

    Right:

        compute: {cpu: {cpu: 2, memory: 8Gi}}
    """
    return Diagnostic(
        "W0412", Severity.WARNING, f"{kind} {quote(name)} is used by nothing", span, "use it, or remove it"
    )


def image_moves(span: Span, image: str) -> Diagnostic:
    """The tag `latest` names another image after every push.

    Two machines may run two of them under one name, a run cannot be repeated, and neither a review nor modelyard.lock
    shows that anything has changed.

    Wrong:

        source: {image: "ghcr.io/acme/fraud-train:latest"}

    Right:

        source: {image: "ghcr.io/acme/fraud-train:1.8.2"}
    """
    return Diagnostic(
        "W0413",
        Severity.WARNING,
        f"the image {quote(image)} is another one after every push",
        span,
        "pin it by the tag of a release, or by its digest: NAME@sha256:…",
    )
