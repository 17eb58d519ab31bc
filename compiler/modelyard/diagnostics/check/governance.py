"""Diagnostics about governance: E0416 to E0429."""

from __future__ import annotations

from collections.abc import Iterable

from modelyard.diagnostics.base import Diagnostic, Severity, joined, quote
from modelyard.source import Span


def _sector(industry: str) -> str:
    return "the public sector" if industry == "public" else industry


def approvals_missing(span: Span, industry: str) -> Diagnostic:
    """In a regulated industry, every promotion in a high-risk system needs an approval.

    The regulated industries are `banking`, `insurance`, `healthcare` and `public`.

    Wrong:

        profile: {industry: banking}
        governance: {risk: high, owner: …}

    Right:

        profile: {industry: banking}
        governance:
          owner: …
          risk: high
          approvals: {promote: {from: [model-risk], minimum: 1}}
          approvers: {model-risk: {sshKeys: ["ssh-ed25519 AAAA… ada@acme.example"]}}
    """
    return Diagnostic(
        "E0416",
        Severity.ERROR,
        f"a high-risk system in {_sector(industry)} needs approvals before a model is promoted",
        span,
        "add `approvals: {promote: {from: [GROUP], minimum: 1}}`, and the group's keys under `approvers`",
    )


def approvals_impossible(span: Span, minimum: int, groups: int) -> Diagnostic:
    """Each approval must come from a different group, so there must be at least as many groups as approvals.

    Wrong:

        approvals: {promote: {from: [model-risk], minimum: 2}}

    Right:

        approvals: {promote: {from: [model-risk, payments-risk], minimum: 2}}
    """
    return Diagnostic(
        "E0417",
        Severity.ERROR,
        f"promotions need approvals from {minimum} groups, but only {groups} can approve",
        span,
        "list more groups, or lower `minimum`",
    )


def explainability_missing(span: Span, model: str) -> Diagnostic:
    """Governance requires every model to explain its predictions.

    Wrong:

        governance: {explainability: required, owner: …}
        models: {fraud: {task: binary-classification, framework: xgboost}}

    Right:

        models: {fraud: {task: binary-classification, framework: xgboost, explainability: {method: shap}}}
    """
    return Diagnostic(
        "E0418",
        Severity.ERROR,
        f"model {quote(model)} does not declare how its predictions are explained, which governance requires",
        span,
        "add `explainability: {method: shap}`, or `method: permutation`",
    )


def capture_without_end(span: Span, endpoint: str, classes: Iterable[str]) -> Diagnostic:
    """In a system with personal, cardholder or health data, captured requests need a retention period.

    Wrong:

        governance: {dataClasses: [pii], owner: …}
        inference: {scorer: {capture: {sample: 20%}}}

    Right:

        inference: {scorer: {capture: {sample: 20%, retain: 90d}}}
    """
    return Diagnostic(
        "E0419",
        Severity.ERROR,
        f"endpoint {quote(endpoint)} keeps captured requests forever, but the system processes {joined(classes)}",
        span,
        "add `retain: 90d` here, or `captures: 90d` to `governance.retention`",
    )


def class_not_declared(span: Span, data: str, classification: str, declared: Iterable[str]) -> Diagnostic:
    """A dataset's classification is missing from `governance.dataClasses`.

    Reviewers look there for all data classes of the system. An empty list declares that there is no sensitive data.

    Wrong:

        governance: {dataClasses: [internal], owner: …}
        data: {patients: {classification: phi, store: lake, path: patients/, format: parquet}}

    Right:

        governance: {dataClasses: [internal, phi], owner: …}
    """
    classes = f"lists only {', '.join(declared)}" if declared else "is empty"
    return Diagnostic(
        "E0420",
        Severity.ERROR,
        f"dataset {quote(data)} is classified as {classification}, but `governance.dataClasses` {classes}",
        span,
        f"add {classification} to `governance.dataClasses`",
    )


def public_without_auth(span: Span, endpoint: str) -> Diagnostic:
    """An endpoint on the public internet needs authentication.

    Wrong:

        inference: {scorer: {endpoint: {exposure: public, host: scores.acme.example}}}

    Right:

        inference:
          scorer:
            endpoint:
              exposure: public
              host: scores.acme.example
              auth: {type: bearer-token, token: secret://vault/scorer#token}
    """
    return Diagnostic(
        "E0421",
        Severity.ERROR,
        f"endpoint {quote(endpoint)} is public but has no authentication",
        span,
        "add `auth: {type: bearer-token, token: secret://STORE/PATH#KEY}`",
    )


def callers_share_token(span: Span, endpoint: str, caller: str, other: str) -> Diagnostic:
    """Each caller of an endpoint needs its own secret.

    The server cannot distinguish two callers with the same secret, and rotating it for one locks out the other.

    Wrong:

        inference:
          scorer:
            endpoint:
              auth: {type: bearer-token, tokens: {shop: secret://vault/scorer#token, app: secret://vault/scorer#token}}

    Right:

        inference:
          scorer:
            endpoint:
              auth: {type: bearer-token, tokens: {shop: secret://vault/scorer#shop, app: secret://vault/scorer#app}}
    """
    return Diagnostic(
        "E0850",
        Severity.ERROR,
        f"callers {quote(other)} and {quote(caller)} of endpoint {quote(endpoint)} share a secret",
        span,
        f"use a separate secret for {quote(caller)}",
    )


def internal_without_auth(span: Span, endpoint: str, industry: str) -> Diagnostic:
    """In a regulated industry, callers must authenticate even on the company's own network.

    Wrong:

        profile: {industry: banking}
        inference: {scorer: {endpoint: {exposure: internal, host: scores.acme.example}}}

    Right:

        inference:
          scorer:
            endpoint:
              exposure: internal
              host: scores.acme.example
              auth: {type: bearer-token, token: secret://vault/scorer#token}
    """
    return Diagnostic(
        "W0422",
        Severity.WARNING,
        f"endpoint {quote(endpoint)} has no authentication, which is normally required in {_sector(industry)}",
        span,
        "add `auth: {type: bearer-token, token: secret://STORE/PATH#KEY}`",
    )


def residency_not_limited(span: Span, classes: Iterable[str]) -> Diagnostic:
    """A system with sensitive data should declare where that data may be stored.

    Wrong:

        governance: {dataClasses: [pii], owner: …}

    Right:

        governance: {dataClasses: [pii], residency: [eu], owner: …}
    """
    return Diagnostic(
        "W0423",
        Severity.WARNING,
        f"the system processes {joined(classes)}, but does not declare where that data may be stored",
        span,
        "add `residency: [eu]`, or another jurisdiction",
    )


def card_missing(span: Span, model: str, missing: Iterable[str], industry: str) -> Diagnostic:
    """In a regulated industry, a model in production needs a model card that describes its purpose and its limitations.

    Wrong:

        profile: {industry: insurance}
        models: {claims: {task: regression, framework: lightgbm}}

    Right:

        models:
          claims:
            task: regression
            framework: lightgbm
            card: {purpose: Estimates the cost of a claim., limitations: Not for liability claims.}
    """
    fields = list(missing)
    absent = joined(fields, "or")
    return Diagnostic(
        "W0424",
        Severity.WARNING,
        f"the card of model {quote(model)} does not state {absent}, which is required in production in"
        f" {_sector(industry)}",
        span,
        f"add {joined(fields)} to `card`",
    )


def classification_missing(span: Span, data: str, industry: str) -> Diagnostic:
    """In a regulated industry, every dataset must declare how sensitive it is.

    Wrong:

        profile: {industry: healthcare}
        data: {scans: {store: lake, path: scans/, format: parquet}}

    Right:

        data: {scans: {store: lake, path: scans/, format: parquet, classification: phi}}
    """
    return Diagnostic(
        "W0425",
        Severity.WARNING,
        f"dataset {quote(data)} does not declare how sensitive it is, which is required in {_sector(industry)}",
        span,
        "set `classification` to public, internal, confidential, pii, cardholder or phi",
    )


def explanation_advised(span: Span, model: str, industry: str) -> Diagnostic:
    """In a regulated industry, the predictions of a high-risk system need explanations.

    Wrong:

        profile: {industry: banking}
        governance: {risk: high, owner: …}
        models: {credit: {task: binary-classification, framework: xgboost}}

    Right:

        models: {credit: {task: binary-classification, framework: xgboost, explainability: {method: shap}}}
    """
    sector = _sector(industry)
    return Diagnostic(
        "W0426",
        Severity.WARNING,
        f"model {quote(model)} does not declare how its predictions are explained, "
        f"which is required for high-risk systems in {sector}",
        span,
        "add `explainability: {method: shap}`, or `method: permutation`",
    )


def lock_contradicted(span: Span, store: str, lock: str, reason: str, action: str) -> Diagnostic:
    """Object Lock needs versioning, and keeps each object version until its lock expires.

    No other setting may delete objects earlier.

    Wrong:

        stores: {audit: {type: object, retention: 1y, objectLock: {mode: compliance, retain: 7y}}}

    Right:

        stores: {audit: {type: object, retention: 8y, objectLock: {mode: compliance, retain: 7y}}}
    """
    return Diagnostic(
        "E0671",
        Severity.ERROR,
        f"store {quote(store)} locks its objects for {lock}, {reason}",
        span,
        action,
    )


def locked_by_habit(span: Span, store: str, lock: str, reason: str) -> Diagnostic:
    """A locked store keeps every object version until its lock expires, and you pay for it.

    Models, checkpoints and data that runs overwrite would pile up there.

    Wrong:

        stores: {lake: {type: object, objectLock: {mode: compliance, retain: 7y}}}
        registry: {database: runs, artifacts: lake}
        inference: {scorer: {capture: {store: lake, retain: 7y}, …}}

    Right:

        stores: {lake: {type: object}, audit: {type: object, objectLock: {mode: compliance, retain: 7y}}}
        registry: {database: runs, artifacts: lake}
        inference: {scorer: {capture: {store: audit, retain: 7y}, …}}
    """
    return Diagnostic(
        "W0672",
        Severity.WARNING,
        f"store {quote(store)} locks every version of its objects for {lock}, but {reason}",
        span,
        "keep the data that must be locked in a separate store, and lock only that store",
    )


def deleted_too_soon(span: Span, store: str, age: str, reason: str) -> Diagnostic:
    """A store deletes all objects by age, including models that are still in use.

    Servers that start later would have nothing to load. To delete old models, clean up the registry instead. Captures
    are kept for the bucket's retention or their own, whichever is shorter.

    Wrong:

        stores: {lake: {type: object, retention: 90d}}
        registry: {database: runs, artifacts: lake}

    Right:

        stores: {lake: {type: object, retention: 90d}, artifacts: {type: object}}
        registry: {database: runs, artifacts: artifacts}
    """
    return Diagnostic(
        "W0492",
        Severity.WARNING,
        f"store {quote(store)} deletes objects after {age}, but {reason}",
        span,
        "use a separate store for them, or lengthen the retention of this one",
    )
