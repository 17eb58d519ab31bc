"""What is reported about governance: E0416 to E0429."""

from __future__ import annotations

from collections.abc import Iterable

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def _sector(industry: str) -> str:
    return "the public sector" if industry == "public" else industry


def approvals_missing(span: Span, industry: str) -> Diagnostic:
    """In a regulated industry, no model of a system with high risk goes into production without somebody's agreement.

    Regulated are banking, insurance, healthcare and public.

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
        f"a system of high risk in {_sector(industry)} needs approvals before a model is promoted",
        span,
        "add approvals: {promote: {from: [GROUP], minimum: 1}}, and the keys of the group under approvers",
    )


def approvals_impossible(span: Span, minimum: int, groups: int) -> Diagnostic:
    """Each approval comes from another group, so there must be as many groups as approvals.

    Wrong:

        approvals: {promote: {from: [model-risk], minimum: 2}}

    Right:

        approvals: {promote: {from: [model-risk, payments-risk], minimum: 2}}
    """
    return Diagnostic(
        "E0417",
        Severity.ERROR,
        f"{minimum} approvals from different groups can never come from {groups}",
        span,
        "name more groups, or lower the minimum",
    )


def explainability_missing(span: Span, model: str) -> Diagnostic:
    """Governance asks that every model says how its predictions are explained.

    Wrong:

        governance: {explainability: required, owner: …}
        models: {fraud: {task: binary-classification, framework: xgboost}}

    Right:

        models: {fraud: {task: binary-classification, framework: xgboost, explainability: {method: shap}}}
    """
    return Diagnostic(
        "E0418",
        Severity.ERROR,
        f"model {quote(model)} does not say how its predictions are explained, and governance requires it",
        span,
        "add explainability: {method: shap}, or permutation",
    )


def capture_without_end(span: Span, endpoint: str, classes: Iterable[str]) -> Diagnostic:
    """Captured requests of a system that touches personal data, payment cards or health data have an end.

    Wrong:

        governance: {dataClasses: [pii], owner: …}
        inference: {scorer: {capture: {sample: 20%}}}

    Right:

        inference: {scorer: {capture: {sample: 20%, retain: 90d}}}
    """
    return Diagnostic(
        "E0419",
        Severity.ERROR,
        f"endpoint {quote(endpoint)} keeps captured requests for ever, and the system touches {', '.join(classes)}",
        span,
        "add retain: 90d here, or captures: 90d to governance.retention",
    )


def class_not_declared(span: Span, data: str, classification: str, declared: Iterable[str]) -> Diagnostic:
    """A dataset is of a class that governance does not list among those that the system touches.

    Whoever reads governance alone would not learn of it. An empty list says that there is no sensitive data.

    Wrong:

        governance: {dataClasses: [internal], owner: …}
        data: {patients: {classification: phi, store: lake, path: patients/, format: parquet}}

    Right:

        governance: {dataClasses: [internal, phi], owner: …}
    """
    says = ", ".join(declared) or "that there is none"
    return Diagnostic(
        "E0420",
        Severity.ERROR,
        f"dataset {quote(data)} is {classification}, and governance.dataClasses says {says}",
        span,
        f"add {classification} to governance.dataClasses",
    )


def public_without_auth(span: Span, endpoint: str) -> Diagnostic:
    """Nobody answers the whole internet without asking who is there.

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
        f"endpoint {quote(endpoint)} is public and asks nobody who they are",
        span,
        "add auth: {type: bearer-token, token: secret://STORE/PATH#KEY}",
    )


def callers_share_token(span: Span, endpoint: str, caller: str, other: str) -> Diagnostic:
    """Each caller of an endpoint has a secret of its own.

    The server cannot distinguish two callers with one secret, and a rotation for one locks out the other.

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
        f"name a secret of its own for {quote(caller)}",
    )


def internal_without_auth(span: Span, endpoint: str, industry: str) -> Diagnostic:
    """In a regulated industry, callers prove who they are on the company's own network, too.

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
        f"endpoint {quote(endpoint)} asks nobody on the network who they are, which is unusual in {_sector(industry)}",
        span,
        "add auth: {type: bearer-token, token: secret://STORE/PATH#KEY}",
    )


def residency_not_limited(span: Span, classes: Iterable[str]) -> Diagnostic:
    """A system that touches sensitive data says where that data may lie.

    Wrong:

        governance: {dataClasses: [pii], owner: …}

    Right:

        governance: {dataClasses: [pii], residency: [eu], owner: …}
    """
    return Diagnostic(
        "W0423",
        Severity.WARNING,
        f"the system touches {', '.join(classes)} and does not say where that may lie",
        span,
        "add residency: [eu] or another jurisdiction",
    )


def card_missing(span: Span, model: str, missing: Iterable[str], industry: str) -> Diagnostic:
    """In a regulated industry, a model in production has a card that says what it is for and what it is not for.

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
        f"the card of model {quote(model)} has no {absent}, which {_sector(industry)} asks for in production",
        span,
        f"add card: with {' and '.join(missing)}",
    )


def classification_missing(span: Span, data: str, industry: str) -> Diagnostic:
    """In a regulated industry, every dataset says how sensitive it is.

    Wrong:

        profile: {industry: healthcare}
        data: {scans: {store: lake, path: scans/, format: parquet}}

    Right:

        data: {scans: {store: lake, path: scans/, format: parquet, classification: phi}}
    """
    return Diagnostic(
        "W0425",
        Severity.WARNING,
        f"dataset {quote(data)} does not say how sensitive it is, which {_sector(industry)} asks for",
        span,
        "add classification: public, internal, confidential, pii, cardholder or phi",
    )


def explanation_advised(span: Span, model: str, industry: str) -> Diagnostic:
    """In a regulated industry, the predictions of a system with high risk can be explained.

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
        f"model {quote(model)} does not say how its predictions are explained, which high risk in {sector} asks for",
        span,
        "add explainability: {method: shap}, or permutation",
    )


def lock_contradicted(span: Span, store: str, lock: str, what: str, action: str) -> Diagnostic:
    """Object Lock keeps each version of an object for its time, so nothing beside it can ask for less.

    It needs versions, and a time after which objects are deleted is no shorter than the time that they are locked.

    Wrong:

        stores: {audit: {type: object, retention: 1y, objectLock: {mode: compliance, retain: 7y}}}

    Right:

        stores: {audit: {type: object, retention: 8y, objectLock: {mode: compliance, retain: 7y}}}
    """
    return Diagnostic(
        "E0671",
        Severity.ERROR,
        f"store {quote(store)} locks its objects for {lock}: {what}",
        span,
        action,
    )


def locked_by_habit(span: Span, store: str, lock: str, what: str) -> Diagnostic:
    """Each version of an object in a locked store stays, and is paid for, until its lock has ended.

    Models, checkpoints and data that a run overwrites pile up there.

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
        f"store {quote(store)} locks every version of its objects for {lock}, and {what}",
        span,
        "keep the records in a store of their own, and lock that one",
    )


def deleted_too_soon(span: Span, store: str, age: str, what: str) -> Diagnostic:
    """A store deletes by age alone, whatever it is: the model that serves today may be older than that.

    Servers that start then find nothing to load. Models are deleted by whoever cleans up the registry; what a bucket
    keeps of captures is bounded by the shorter of both times.

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
        f"store {quote(store)} deletes what is older than {age}: {what}",
        span,
        "give them a store of their own, or a longer retention here",
    )
