"""Translates S3 requests into the action, resource and condition keys evaluated by IAM.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html, 2026-11-25.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from testbed.clouds.aws.authorization.language import NotEvaluated

_ENCRYPTION: Final = "x-amz-server-side-encryption"
_LIST_KEYS: Final = ("prefix", "delimiter", "max-keys")
_LISTING: Final = frozenset(
    (*_LIST_KEYS, "list-type", "continuation-token", "start-after", "marker", "encoding-type", "fetch-owner")
)
_OBJECT: Final = {
    "GET": ("s3:GetObject", frozenset(("response-content-type", "x-id", "partNumber"))),
    "HEAD": ("s3:GetObject", frozenset(("x-id", "partNumber"))),
    "PUT": ("s3:PutObject", frozenset(("partNumber", "uploadId", "x-id"))),
    "POST": ("s3:PutObject", frozenset(("uploads", "uploadId", "x-id"))),
}
"""Actions on objects and the query parameters that they allow. Other parameters select another operation."""


@dataclass(frozen=True, slots=True)
class NeededAction:
    """An action on a bucket or, if `key` is not empty, on an object."""

    action: str
    bucket: str = ""
    key: str = ""
    context: Mapping[str, tuple[str, ...]] | None = None

    @property
    def arn(self) -> str:
        """Return the ARN, or `*` for all buckets together."""
        if not self.bucket:
            return "*"
        return f"arn:aws:s3:::{self.bucket}{'/' if self.key else ''}{self.key}"


def needed_actions(method: str, target: str, headers: Mapping[str, str]) -> tuple[NeededAction, ...]:
    """Return the actions needed by a request, given its request line and lower-case headers.

    Raises NotEvaluated for operations our programs don't use. Multi-object deletions are handled elsewhere.
    """
    parts = urlsplit(target)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    bucket, _, key = unquote(parts.path.lstrip("/")).partition("/")
    if not bucket:
        return (NeededAction("s3:ListAllMyBuckets"),)
    if not key:
        return _of_bucket(method, bucket, query)
    if method == "DELETE":
        return (_deletion(bucket, key, query),)
    if method not in _OBJECT or not query.keys() <= _OBJECT[method][1]:
        raise NotEvaluated(f"{method} of an object with {', '.join(sorted(query)) or 'no query'}")
    action = _OBJECT[method][0]
    if action == "s3:GetObject":
        return (NeededAction(action, bucket, key),)
    write = NeededAction(action, bucket, key, _encryption(headers))
    if source := headers.get("x-amz-copy-source"):
        of_bucket, _, of_key = unquote(source.partition("?")[0]).lstrip("/").partition("/")
        return (NeededAction("s3:GetObject", of_bucket, of_key), write)
    return (write,)


def is_multiple_deletion(method: str, target: str) -> bool:
    """Return whether the body of the request lists objects to delete."""
    return method == "POST" and "delete" in dict(parse_qsl(urlsplit(target).query, keep_blank_values=True))


def _of_bucket(method: str, bucket: str, query: Mapping[str, str]) -> tuple[NeededAction, ...]:
    if is_multiple_deletion(method, f"?{'&'.join(query)}"):
        return ()
    if method == "HEAD" and not query:
        return (NeededAction("s3:ListBucket", bucket),)
    if method == "GET" and query.keys() <= _LISTING:
        # without a prefix in a list request, or with an empty one that is omitted, this key is missing
        context = {f"s3:{name}": (query[name],) for name in _LIST_KEYS if name in query}
        return (NeededAction("s3:ListBucket", bucket, context=context),)
    if method == "GET" and set(query) == {"location"}:
        return (NeededAction("s3:GetBucketLocation", bucket),)
    raise NotEvaluated(f"{method} of a bucket with {', '.join(sorted(query)) or 'no query'}")


def _deletion(bucket: str, key: str, query: Mapping[str, str]) -> NeededAction:
    if not query.keys() <= {"uploadId", "x-id"}:
        raise NotEvaluated(f"DELETE of an object with {', '.join(sorted(query))}")
    return NeededAction("s3:AbortMultipartUpload" if "uploadId" in query else "s3:DeleteObject", bucket, key)


def _encryption(headers: Mapping[str, str]) -> Mapping[str, tuple[str, ...]]:
    """Return the condition keys for a request's encryption settings, or none if it uses the bucket's default."""
    names = (_ENCRYPTION, f"{_ENCRYPTION}-aws-kms-key-id")
    return {f"s3:{name}": (headers[name],) for name in names if name in headers}
