"""Diagnostics about AWS-only features on other providers' targets."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def secrets_manager_elsewhere(span: Span, store: str, target: str, provider: str) -> Diagnostic:
    """AWS Secrets Manager is read with the identity of a cluster in AWS; no other cluster has one.

    Wrong:

        deployment: {mode: on-prem, provider: kubernetes, secretStores: {aws: {via: secrets-manager}}}

    Right:

        deployment: {mode: on-prem, provider: kubernetes, secretStores: {aws: {via: external-secrets, store: aws}}}
    """
    return Diagnostic(
        "AWS-E020",
        Severity.ERROR,
        f"secret store {quote(store)} is AWS Secrets Manager, and target {quote(target)} is {provider}",
        span,
        "use via: external-secrets with a SecretStore of the cluster",
    )


def encryption_key_of_nothing(span: Span, store: str, why: str) -> Diagnostic:
    """`encryptionKey` names the key of an existing bucket in AWS, so that workloads there may use it.

    A bucket that is made here gets the key of its target, and a service elsewhere keeps its keys to itself.

    Wrong:

        stores: {lake: {type: object, encryptionKey: "arn:aws:kms:eu-central-1:123456789012:key/…"}}

    Right:

        stores: {lake: {type: object, adopt: acme-lake, encryptionKey: "arn:aws:kms:eu-central-1:123456789012:key/…"}}
    """
    return Diagnostic(
        "AWS-E021",
        Severity.ERROR,
        f"store {quote(store)} cannot use an AWS KMS key: {why}",
        span,
        "remove encryptionKey, or adopt a bucket on a target with provider: aws",
    )


def key_of_other_region(span: Span, store: str, key_region: str, region: str) -> Diagnostic:
    """A bucket is encrypted with a key of its own region, so this cannot be its key.

    Wrong:

        stores: {lake: {type: object, adopt: acme-lake, region: eu-west-1,
        encryptionKey: "arn:aws:kms:eu-central-1:123456789012:key/…"}}

    Right:

        stores: {lake: {type: object, adopt: acme-lake, region: eu-west-1,
        encryptionKey: "arn:aws:kms:eu-west-1:123456789012:key/…"}}
    """
    return Diagnostic(
        "AWS-E022",
        Severity.ERROR,
        f"the key is in {key_region}, but the bucket of store {quote(store)} is in {region}",
        span,
        "name the key of the bucket, or the bucket's region",
    )
