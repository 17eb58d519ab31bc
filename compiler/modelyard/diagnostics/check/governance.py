"""Diagnostics about governance: E0416 to E0429."""

from __future__ import annotations

from collections.abc import Iterable

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def _sector(industry: str) -> str:
    return "the public sector" if industry == "public" else industry


def approvals_missing(span: Span, industry: str) -> Diagnostic:
    """In a regulated industry, no model of a high-risk system goes into production without somebody's approval.

    The regulated industries are banking, insurance, healthcare and public.

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
        "add approvals: {promote: {from: [GROUP], minimum: 1}}, and the keys of the group under approvers",
    )


def approvals_impossible(span: Span, minimum: int, groups: int) -> Diagnostic:
    """Each approval comes from a different group, so there must be as many groups as approvals.

    Wrong:

        approvals: {promote: {from: [model-risk], minimum: 2}}

    Right:

        approvals: {promote: {from: [model-risk, payments-risk], minimum: 2}}
    """
    return Diagnostic(
        "E0417",
        Severity.ERROR,
        f"approvals need {minimum} different groups, but only {groups} can approve",
        span,
        "name more groups, or lower the minimum",
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
        "add explainability: {method: shap}, or permutation",
    )


def capture_without_end(span: Span, endpoint: str, classes: Iterable[str]) -> Diagnostic:
    """Captured requests of a system with personal data, payment cards or health data need a retention period.

    Wrong:

        governance: {dataClasses: [pii], owner: …}
        inference: {scorer: {capture: {sample: 20%}}}

    Right:

        inference: {scorer: {capture: {sample: 20%, retain: 90d}}}
    """
    return Diagnostic(
        "E0419",
        Severity.ERROR,
        f"endpoint {quote(endpoint)} keeps captured requests forever, but the system touches {', '.join(classes)}",
        span,
        "add retain: 90d here, or captures: 90d to governance.retention",
    )


def class_not_declared(span: Span, data: str, classification: str, declared: Iterable[str]) -> Diagnostic:
    """The class of a dataset is missing from the data classes that governance declares.

    Governance is where readers look for it. An empty list states that there is no sensitive data.

    Wrong:

        governance: {dataClasses: [internal], owner: …}
        data: {patients: {classification: phi, store: lake, path: patients/, format: parquet}}

    Right:

        governance: {dataClasses: [internal, phi], owner: …}
    """
    classes = ", ".join(declared) or "that there is none"
    return Diagnostic(
        "E0420",
        Severity.ERROR,
        f"dataset {quote(data)} is {classification}, but governance.dataClasses says {classes}",
        span,
        f"add {classification} to governance.dataClasses",
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
        f"endpoint {quote(endpoint)} is public and has no authentication",
        span,
        "add auth: {type: bearer-token, token: secret://STORE/PATH#KEY}",
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
        f"name a separate secret for {quote(caller)}",
    )


def internal_without_auth(span: Span, endpoint: str, industry: str) -> Diagnostic:
    """In a regulated industry, callers authenticate on the company's own network, too.

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
        f"endpoint {quote(endpoint)} has no authentication; {_sector(industry)} normally requires it",
        span,
        "add auth: {type: bearer-token, token: secret://STORE/PATH#KEY}",
    )


def residency_not_limited(span: Span, classes: Iterable[str]) -> Diagnostic:
    """A system with sensitive data states where that data may be.

    Wrong:

        governance: {dataClasses: [pii], owner: …}

    Right:

        governance: {dataClasses: [pii], residency: [eu], owner: …}
    """
    return Diagnostic(
        "W0423",
        Severity.WARNING,
        f"the system touches {', '.join(classes)} and does not state where that data may be",
        span,
        "add residency: [eu] or another jurisdiction",
    )


def card_missing(span: Span, model: str, missing: Iterable[str], industry: str) -> Diagnostic:
    """In a regulated industry, a model in production has a card that states what it is for and what it is not for.

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
    absent = " and no ".join(missing)
    return Diagnostic(
        "W0424",
        Severity.WARNING,
        f"the card of model {quote(model)} has no {absent}, which {_sector(industry)} requires in production",
        span,
        f"add card: with {' and '.join(missing)}",
    )


def classification_missing(span: Span, data: str, industry: str) -> Diagnostic:
    """In a regulated industry, every dataset declares how sensitive it is.

    Wrong:

        profile: {industry: healthcare}
        data: {scans: {store: lake, path: scans/, format: parquet}}

    Right:

        data: {scans: {store: lake, path: scans/, format: parquet, classification: phi}}
    """
    return Diagnostic(
        "W0425",
        Severity.WARNING,
        f"dataset {quote(data)} does not declare how sensitive it is, which {_sector(industry)} requires",
        span,
        "add classification: public, internal, confidential, pii, cardholder or phi",
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
        f"model {quote(model)} does not declare how its predictions are explained; high risk in {sector} requires it",
        span,
        "add explainability: {method: shap}, or permutation",
    )


def lock_contradicted(span: Span, store: str, lock: str, reason: str, action: str) -> Diagnostic:
    """Object Lock keeps each version of an object for a fixed time, so no other setting can require less.

    It needs versioning, and objects cannot be deleted before their lock ends.

    Wrong:

        stores: {audit: {type: object, retention: 1y, objectLock: {mode: compliance, retain: 7y}}}

    Right:

        stores: {audit: {type: object, retention: 8y, objectLock: {mode: compliance, retain: 7y}}}
    """
    return Diagnostic(
        "E0671",
        Severity.ERROR,
        f"store {quote(store)} locks its objects for {lock}: {reason}",
        span,
        action,
    )


def locked_by_habit(span: Span, store: str, lock: str, reason: str) -> Diagnostic:
    """Every version of an object in a locked store is kept, and paid for, until its lock ends.

    Models, checkpoints and data that runs overwrite pile up there.

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
        f"store {quote(store)} locks every version of its objects for {lock}, and {reason}",
        span,
        "keep the records in a separate store, and lock that one",
    )


def deleted_too_soon(span: Span, store: str, age: str, reason: str) -> Diagnostic:
    """A store deletes everything by age, including models that still serve.

    Servers that start afterwards find nothing to load. Models are deleted by cleaning up the registry; captures are
    kept for the shorter of the bucket's and their own retention.

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
        f"store {quote(store)} deletes what is older than {age}: {reason}",
        span,
        "give them a separate store, or a longer retention here",
    )
