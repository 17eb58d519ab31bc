"""An HTTP server in front of moto's S3 that enforces policies and denies requests with S3's own wording.

Signatures aren't verified, but an access key that belongs to no session and no user is rejected.
"""

from __future__ import annotations

import http.client
import re
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from testbed.clouds.aws.authorization.account import Account
from testbed.clouds.aws.authorization.authorizer import Authorizer, Caller
from testbed.clouds.aws.authorization.decide import Decision
from testbed.clouds.aws.authorization.language import NotEvaluated
from testbed.clouds.aws.authorization.s3_requests import NeededAction, is_multiple_deletion, needed_actions

_CREDENTIAL = re.compile(r"Credential=(?P<key>[^/]+)/\d+/[^/]+/(?P<service>[^/]+)/aws4_request")
_NOT_PASSED_ON = frozenset(("connection", "transfer-encoding", "keep-alive", "content-length", "date", "server"))


@dataclass(frozen=True, slots=True)
class Call:
    """A request, with header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """The response. `length` is the length of the object, since the response to a HEAD has no body."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    length: str = ""


@dataclass(slots=True)
class Guard:
    """A running server. Clients connect to `endpoint`, `authorizer` issues sessions, and `refused` lists denials."""

    moto: str
    authorizer: Authorizer
    endpoint: str = ""
    refused: list[str] = field(default_factory=list[str])

    def answer(self, call: Call) -> Answer:
        """Handle a request, or deny it."""
        signed = _CREDENTIAL.search(call.headers.get("authorization", ""))
        caller = self.authorizer.caller(signed["key"]) if signed else None
        if signed is None or caller is None:
            return self._refuse("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist.", call)
        try:
            if signed["service"] != "s3":
                raise NotEvaluated(f"a request to {signed['service']}")
            if is_multiple_deletion(call.method, call.target):
                return self._delete_several(caller, call)
            return self._answer(caller, call)
        except NotEvaluated as problem:
            return self._refuse("NotImplemented", f"not evaluated: {problem}", call, 501)

    def _answer(self, caller: Caller, call: Call) -> Answer:
        actions = needed_actions(call.method, call.target, call.headers)
        for each in actions:
            decision = self.authorizer.on_bucket(caller, each)
            if not decision.allowed:
                return self._refuse("AccessDenied", _denial(caller, each, decision), call)
        answer = self._forward(call)
        if answer.status == 404:
            for each in actions:
                if each.action == "s3:GetObject" and not self.authorizer.shows_missing(caller, each):
                    listing = NeededAction("s3:ListBucket", each.bucket)
                    why = Decision(False, "because no identity-based policy allows the s3:ListBucket action")
                    return self._refuse("AccessDenied", _denial(caller, listing, why), call)
        return answer

    def _delete_several(self, caller: Caller, call: Call) -> Answer:
        """Authorize each key separately, listing those that weren't deleted in the response."""
        bucket = urlsplit(call.target).path.strip("/")
        document = ElementTree.fromstring(call.body)
        denied: list[str] = []
        for each in [element for element in document if element.tag.endswith("Object")]:
            key = next(str(part.text) for part in each if part.tag.endswith("Key"))
            decision = self.authorizer.on_bucket(caller, NeededAction("s3:DeleteObject", bucket, key))
            if not decision.allowed:
                document.remove(each)
                why = _denial(caller, NeededAction("s3:DeleteObject", bucket, key), decision)
                self.refused.append(why)
                denied.append(
                    f"<Error><Key>{escape(key)}</Key><Code>AccessDenied</Code><Message>{escape(why)}</Message></Error>"
                )
        if not denied:
            return self._forward(call)
        deleted = b"<DeleteResult></DeleteResult>"
        if any(element.tag.endswith("Object") for element in document):
            headers = {name: value for name, value in call.headers.items() if not name.startswith("content-md5")}
            deleted = self._forward(Call(call.method, call.target, headers, ElementTree.tostring(document))).body
        return Answer(200, deleted.replace(b"</DeleteResult>", f"{''.join(denied)}</DeleteResult>".encode()))

    def _refuse(self, code: str, message: str, call: Call, status: int = 403) -> Answer:
        self.refused.append(f"{call.method} {call.target}: {message}")
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
        return Answer(status, body.encode(), (("Content-Type", "application/xml"),))

    def _forward(self, call: Call) -> Answer:
        connection = http.client.HTTPConnection(urlsplit(self.moto).netloc, timeout=60)
        try:
            headers = {name: value for name, value in call.headers.items() if name not in _NOT_PASSED_ON}
            connection.request(call.method, call.target, call.body, headers)
            response = connection.getresponse()
            body = response.read()
            response_headers = tuple(
                (name, value) for name, value in response.headers.items() if name.lower() not in _NOT_PASSED_ON
            )
            return Answer(response.status, body, response_headers, response.headers.get("Content-Length", ""))
        finally:
            connection.close()


def _denial(caller: Caller, request: NeededAction, decision: Decision) -> str:
    """Return S3's error message: https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html."""
    who = caller.principal.session or caller.principal.arn
    return f'User: {who} is not authorized to perform: {request.action} on resource: "{request.arn}" {decision.why}'


@contextmanager
def guarded(moto: str, region: str) -> Generator[Guard]:
    """Run a guard in front of moto on its own port."""
    guard = Guard(moto, Authorizer(Account(moto, region)))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(guard))
    guard.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, name="guard", daemon=True)
    thread.start()
    try:
        yield guard
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(guard: Guard) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def serve(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = guard.answer(Call(self.command, self.path, headers, self._body()))
            self.send_response(answer.status)
            for name, value in answer.headers:
                self.send_header(name, value)
            without_body = self.command == "HEAD"
            length = answer.length if without_body and answer.length else str(len(answer.body))
            self.send_header("Content-Length", length)
            self.end_headers()
            if not without_body:
                self.wfile.write(answer.body)

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = serve  # noqa: N815 - called by the base class

        def _body(self) -> bytes:
            """Read the whole body, chunked or not."""
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts: list[bytes] = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by the base class
            """Print nothing, because denied requests are recorded in `refused`."""

    return Handler
