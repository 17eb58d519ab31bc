"""Requests and policies, with the decisions recorded from another implementation of IAM's evaluation rules.

`authorization_verdicts.txt` contains the results of @cloud-copilot/iam-simulate 0.1.173 (npm), recorded 2026-11-25, one
line per case. Cases in which that package deviates from AWS's documentation are tested separately.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, TypeAlias

Document: TypeAlias = dict[str, Any]

ACCOUNT, OTHER_ACCOUNT = "111122223333", "444455556666"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/retrain"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/retrain/pod"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
OTHER_ROLE = f"arn:aws:iam::{ACCOUNT}:role/other"
KEY = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
VIA_S3 = {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}


@dataclass(frozen=True, slots=True)
class Case:
    """A request by the principal SESSION, and all policies that apply to it."""

    name: str
    action: str = "s3:GetObject"
    resource: str = "arn:aws:s3:::lake/a"
    account: str = ACCOUNT
    context: Mapping[str, str | Sequence[str]] = field(default_factory=dict[str, str])
    identity: tuple[Document, ...] = ()
    resource_policy: Document | None = None
    boundary: Document | None = None
    endpoint: Document | None = None


def cases() -> tuple[Case, ...]:
    """Return all cases, each with a unique name."""
    return (*_operators(), *_several_values(), *_several_conditions(), *_patterns(), *_parties(), *_keys())


def _document(*statements: Document) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _allow(
    effect: str = "Allow", action: str = "s3:GetObject", resource: Any = "arn:aws:s3:::lake/*", **more: Any
) -> Document:
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


_VARIABLES = ("${aws:PrincipalTag/other}", "${aws:PrincipalTag/none, 'risk'}", "${aws:PrincipalTag/none}")
_STRINGS = ("StringEquals", "StringNotEquals", "StringLike", "StringNotLike")
_FAMILIES: tuple[tuple[tuple[str, ...], str, list[list[str]], list[str | None]], ...] = (
    (
        (*_STRINGS, "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"),
        "aws:PrincipalTag/team",
        [["risk"], ["ri*"], ["risk", "pay"], ["RISK"], ["r?sk"], *([each] for each in _VARIABLES)],
        [None, "risk", "pay", "ri*", ""],
    ),
    (
        ("ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"),
        "aws:PrincipalArn",
        [[ROLE], [f"arn:aws:iam::{ACCOUNT}:role/*"], ["arn:aws:iam::*:role/ret*"]],
        [None, ROLE, f"arn:aws:iam::{ACCOUNT}:role/x/y"],
    ),
    (("Bool",), "aws:SecureTransport", [["true"], ["false"]], [None, "true", "false"]),
    (
        ("IpAddress", "NotIpAddress"),
        "aws:SourceIp",
        [["10.0.0.0/8"], ["10.0.0.0/8", "203.0.113.7"], ["203.0.113.7/32"]],
        [None, "10.1.2.3", "203.0.113.7", "192.0.2.1"],
    ),
    (
        tuple(
            f"Numeric{name}"
            for name in ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
        ),
        "s3:max-keys",
        [["10"], ["10", "20"]],
        [None, "5", "10", "20", "25"],
    ),
    (
        tuple(
            f"Date{name}"
            for name in ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
        ),
        "aws:CurrentTime",
        [["2026-11-25T00:00:00Z"]],
        [None, "2026-11-24T23:00:00Z", "2026-11-25T00:00:00Z", "2026-11-26T00:00:00Z"],
    ),
)


def _operators() -> Iterator[Case]:
    for operators, key, values, actual in _FAMILIES:
        listing = key.startswith("s3:")
        action, resource = (
            ("s3:ListBucket", "arn:aws:s3:::lake") if listing else ("s3:GetObject", "arn:aws:s3:::lake/a")
        )
        for operator, suffix, expected, value in product(operators, ("", "IfExists"), values, actual):
            context = {"aws:PrincipalTag/other": "risk"} | ({} if value is None else {key: value})
            condition = {f"{operator}{suffix}": {key: expected}}
            rights = _document(_allow(action=action, resource=resource, Condition=condition))
            yield Case(
                f"{operator}{suffix} {expected} {value!r}",
                action=action,
                resource=resource,
                context=context,
                identity=(rights,),
            )


def _several_values() -> Iterator[Case]:
    sets: list[list[str] | None] = [None, ["a"], ["a", "b"], ["c"], ["a", "c"], ["x1"]]
    for quantifier, operator, suffix in product(("ForAllValues:", "ForAnyValue:"), _STRINGS, ("", "IfExists")):
        if quantifier == "ForAnyValue:" and suffix:
            continue  # not supported
        for expected, value in product((["a"], ["a", "b"], ["x*"]), sets):
            condition = {f"{quantifier}{operator}{suffix}": {"aws:TagKeys": expected}}
            context = {} if value is None else {"aws:TagKeys": value}
            rights = _document(_allow(Condition=condition))
            yield Case(
                f"{quantifier}{operator}{suffix} {expected} {value}",
                context=context,
                identity=(rights,),
            )


def _several_conditions() -> Iterator[Case]:
    action, resource = "s3:ListBucket", "arn:aws:s3:::lake"
    for null, prefix in product(("true", "false"), (None, "lake/")):
        context = {} if prefix is None else {"s3:prefix": prefix}
        rights = _document(_allow(action=action, resource=resource, Condition={"Null": {"s3:prefix": null}}))
        yield Case(f"Null {null} {prefix}", action=action, resource=resource, context=context, identity=(rights,))
    two_operators = {"StringLike": {"s3:prefix": "lake/*"}, "Bool": {"aws:SecureTransport": "true"}}
    elsewhere = {"StringNotLike": {"s3:prefix": "lake/*"}}
    for prefix, secure in product((None, "lake/", "x"), ("true", "false")):
        context = {"aws:SecureTransport": secure} | ({} if prefix is None else {"s3:prefix": prefix})
        for name, statements in (
            ("two operators", [_allow(action="s3:*", resource="*", Condition=two_operators)]),
            (
                "denied by condition",
                [
                    _allow(action="s3:*", resource="*"),
                    _allow("Deny", action=action, resource=resource, Condition=elsewhere),
                ],
            ),
        ):
            identity = (_document(*statements),)
            yield Case(
                f"{name} {prefix} {secure}", action=action, resource=resource, context=context, identity=identity
            )


def _patterns() -> Iterator[Case]:
    for action in ("s3:GetObject", "s3:getobject", "s3:Get*", "s3:*", "*", "s3:PutObject", "s3:Get?bject"):
        yield Case(f"Action {action}", identity=(_document(_allow(action=action)),))
        turned = {**_allow(), "NotAction": action}
        del turned["Action"]
        yield Case(f"NotAction {action}", identity=(_document(turned),))
    context = {"aws:PrincipalTag/k": "a"}
    for end in (
        "lake/*",
        "lake/a",
        "lak?/a",
        "*",
        "lake",
        "lake/b",
        "lake/${aws:PrincipalTag/none}",
        "lake/${aws:PrincipalTag/k}",
    ):
        resource = f"arn:aws:s3:::{end}"
        yield Case(f"Resource {resource}", context=context, identity=(_document(_allow(resource=resource)),))
        turned = {**_allow(), "NotResource": resource}
        del turned["Resource"]
        yield Case(f"NotResource {resource}", context=context, identity=(_document(turned),))


def _parties() -> Iterator[Case]:
    def of(principal: Any, effect: str = "Allow", action: str = "s3:GetObject") -> Document:
        return _document(_allow(effect, action, Principal=principal))

    identities: dict[str, tuple[Document, ...]] = {
        "none": (),
        "allow": (_document(_allow()),),
        "other": (_document(_allow(action="s3:PutObject")),),
        "deny": (_document(_allow(), _allow("Deny")),),
    }
    resources: dict[str, Document | None] = {
        "none": None,
        "star": of("*"),
        "role": of({"AWS": ROLE}),
        "session": of({"AWS": SESSION}),
        "root": of({"AWS": ROOT}),
        "account": of({"AWS": ACCOUNT}),
        "other": of({"AWS": OTHER_ROLE}),
        "service": of({"Service": "logs.amazonaws.com"}),
        "deny-star": of("*", "Deny"),
        "deny-role": of({"AWS": ROLE}, "Deny"),
        "deny-root": of({"AWS": ROOT}, "Deny"),
        "deny-other": of({"AWS": OTHER_ROLE}, "Deny"),
    }
    boundaries = {
        "none": None,
        "wide": _document(_allow(action="s3:*", resource="*")),
        "narrow": _document(_allow(action="s3:PutObject", resource="*")),
    }
    endpoints = {
        "none": None,
        "wide": of("*"),
        "narrow": of("*", action="s3:PutObject"),
        "deny": of("*", "Deny"),
    }
    for identity, resource, boundary, account in product(identities, resources, boundaries, (ACCOUNT, OTHER_ACCOUNT)):
        yield Case(
            f"identity {identity}, resource {resource}, boundary {boundary}, account {account}",
            account=account,
            identity=identities[identity],
            resource_policy=resources[resource],
            boundary=boundaries[boundary],
        )
    for identity, resource, endpoint in product(identities, ("none", "star", "deny-star"), endpoints):
        yield Case(
            f"identity {identity}, resource {resource}, endpoint {endpoint}",
            identity=identities[identity],
            resource_policy=resources[resource],
            endpoint=endpoints[endpoint],
        )


def _keys() -> Iterator[Case]:
    def of(principal: Any) -> Document:
        return _document(_allow(action="kms:Decrypt", resource="*", Principal=principal))

    direct = _allow("Deny", "kms:Decrypt", "*", Principal="*", Condition={"StringNotEquals": VIA_S3})
    policies = {
        "root": of({"AWS": ROOT}),
        "role": of({"AWS": ROLE}),
        "star": of("*"),
        "other": of({"AWS": OTHER_ROLE}),
        "through-s3": _document(_allow(action="kms:*", resource="*", Principal={"AWS": ROOT}), direct),
    }
    identities: dict[str, tuple[Document, ...]] = {
        "none": (),
        "allow": (_document(_allow(action="kms:Decrypt", resource=KEY)),),
        "deny": (_document(_allow("Deny", "kms:Decrypt", KEY)),),
    }
    for identity, policy, context in product(identities, policies, ({}, VIA_S3)):
        yield Case(
            f"key: identity {identity}, policy {policy}, via {'S3' if context else 'nothing'}",
            action="kms:Decrypt",
            resource=KEY,
            context=context,
            identity=identities[identity],
            resource_policy=policies[policy],
        )
