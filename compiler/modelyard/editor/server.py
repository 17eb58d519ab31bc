"""The language server: diagnostics while typing, descriptions, and completion of fields and names.

The server implements the Language Server Protocol over standard streams. It gets all facts about specs from
`Knowledge`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.uris import from_fs_path, to_fs_path

from modelyard import __version__
from modelyard.diagnostics import Diagnostic, Severity
from modelyard.editor.cursor import cursor_at
from modelyard.editor.names import Names, address_of, in_base
from modelyard.editor.offers import Holds, Offer, offers
from modelyard.editor.texts import end_of_word, environment_of, is_spec, readable
from modelyard.records import record
from modelyard.shape import Schema

_DEBOUNCE_S: Final = 0.3
_KINDS: Final = {
    "field": types.CompletionItemKind.Property,
    "word": types.CompletionItemKind.EnumMember,
    "name": types.CompletionItemKind.Reference,
}
_SEVERITIES: Final = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
}

Texts: TypeAlias = Mapping[str, str]
"""The contents of open files in an editor, by absolute path. They may differ from the files on disk."""


@record
class Knowledge:
    """The language server's interface to the compiler. All paths are spec paths. `texts` overrides files on disk.

    `judge` returns the diagnostics for a spec and all its environments. `describe` returns the lines that describe a
    field or an address. `spec_of` returns the spec in a folder. `holds` returns whether a value satisfies a schema
    condition.
    """

    judge: Callable[[str, Texts], tuple[Diagnostic, ...]]
    describe: Callable[[str, Texts, tuple[str, ...]], list[str]]
    spec_of: Callable[[str], str]
    holds: Holds
    spec_names: tuple[str, ...]


def serve(knowledge: Knowledge) -> None:
    """Serve an editor until it stops the server.

    Standard input and output are reserved for the protocol, so all other output goes to standard error.
    """
    stdin, stdout = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _server(_Session(knowledge)).start_io(stdin, stdout)


class _Session:
    """The contents of open files, their last readable state, and the pending checks."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self.texts: dict[str, str] = {}
        self.values: dict[str, Schema] = {}
        self.waiting: dict[str, asyncio.Task[None]] = {}
        self.marked: dict[str, set[str]] = {}

    def spec_of(self, path: str) -> str | None:
        """Return the spec that an open file belongs to, as spec or environment, or None for other files."""
        if environment_of(path) is not None:
            return self.knowledge.spec_of(os.path.dirname(os.path.dirname(path)))
        return path if is_spec(path, self.texts.get(path, ""), self.knowledge.spec_names) else None

    def names(self, path: str, spec: str, value: Schema | None) -> Names:
        """Return the names defined in a spec, in the current environment and in other open environments."""
        if value is not None:
            self.values[path] = value
        if spec not in self.values:
            self._read(spec)
        folder = os.path.join(os.path.dirname(spec), "environments", "")
        environments = (environment for name, environment in self.values.items() if name.startswith(folder))
        return Names.of(self.values.get(spec, {}), *environments)

    def _read(self, path: str) -> None:
        from modelyard.load import load

        text = self.texts.get(path)
        if text is None:
            try:
                with open(path, encoding="utf-8") as file:
                    text = file.read()
            except (OSError, ValueError):
                return
        document, _ = load(text, path)
        if document is not None:
            self.values[path] = document.value


def _server(session: _Session) -> LanguageServer:
    server = LanguageServer("modelyard", __version__, text_document_sync_kind=types.TextDocumentSyncKind.Full)

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    async def opened(notification: types.DidOpenTextDocumentParams) -> None:
        _changed(server, session, notification.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    async def changed(notification: types.DidChangeTextDocumentParams) -> None:
        _changed(server, session, notification.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    async def closed(notification: types.DidCloseTextDocumentParams) -> None:
        path = to_fs_path(notification.text_document.uri) or ""
        spec = session.spec_of(path)
        session.texts.pop(path, None)
        session.values.pop(path, None)
        if spec is not None:
            _schedule(server, session, spec)

    @server.feature(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=[" ", ".", "@", "{"]))
    def completed(request: types.CompletionParams) -> list[types.CompletionItem]:
        return _completion(server, session, request)

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def hovered(request: types.HoverParams) -> types.Hover | None:
        return await _hover(server, session, request)

    _ = (opened, changed, closed, completed, hovered)
    return server


def _changed(server: LanguageServer, session: _Session, uri: str) -> None:
    path = to_fs_path(uri) or ""
    session.texts[path] = server.workspace.get_text_document(uri).source
    spec = session.spec_of(path)
    if spec is not None:
        _schedule(server, session, spec)


def _schedule(server: LanguageServer, session: _Session, spec: str) -> None:
    """Check a spec once the user pauses typing."""
    waiting = session.waiting.get(spec)
    if waiting is not None:
        waiting.cancel()
    session.waiting[spec] = asyncio.ensure_future(_judge_later(server, session, spec))


async def _judge_later(server: LanguageServer, session: _Session, spec: str) -> None:
    await asyncio.sleep(_DEBOUNCE_S)
    diagnostics = await asyncio.to_thread(session.knowledge.judge, spec, dict(session.texts))
    by_path: dict[str, list[Diagnostic]] = {}
    for diagnostic in diagnostics:
        by_path.setdefault(spec if diagnostic.span is None else diagnostic.span.file, []).append(diagnostic)
    open_files = {path for path in session.texts if session.spec_of(path) == spec}
    for path in sorted(by_path.keys() | open_files | session.marked.get(spec, set())):
        _publish(server, path, by_path.get(path, []))
    session.marked[spec] = set(by_path)


def _publish(server: LanguageServer, path: str, problems: list[Diagnostic]) -> None:
    uri = from_fs_path(path)
    if uri is None:
        return
    lines: Sequence[str] = server.workspace.get_text_document(uri).lines if problems else ()
    diagnostics = [_diagnostic(server, lines, problem) for problem in problems]
    server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, diagnostics))


def _diagnostic(server: LanguageServer, lines: Sequence[str], problem: Diagnostic) -> types.Diagnostic:
    span = problem.span
    line, start, end = (0, 0, 0) if span is None else (span.line - 1, span.column - 1, span.end_column - 1)
    marked = types.Range(types.Position(line, start), types.Position(line, max(start, end)))
    return types.Diagnostic(
        range=server.workspace.position_codec.range_to_client_units(lines, marked),
        message=f"{problem.message}\n{problem.hint}" if problem.hint else problem.message,
        severity=_SEVERITIES[problem.severity],
        code=problem.code,
        source="modelyard",
    )


def _completion(
    server: LanguageServer, session: _Session, request: types.CompletionParams
) -> list[types.CompletionItem]:
    path = to_fs_path(request.text_document.uri) or ""
    spec = session.spec_of(path)
    if spec is None:
        return []
    document = server.workspace.get_text_document(request.text_document.uri)
    at = document.position_from_client_units(request.position)
    cursor = cursor_at(document.source, at.line, at.character)
    value = readable(document.source, cursor, at.line, at.character)
    names = session.names(path, spec, value)
    latest = value if value is not None else session.values.get(path, {})
    offered = offers(cursor, latest, names, environment_of(path) is not None, session.knowledge.holds)
    return [_item(offer, number, request.position) for number, offer in enumerate(offered)]


def _item(offer: Offer, number: int, at: types.Position) -> types.CompletionItem:
    start = types.Position(at.line, at.character - offer.replaces)
    return types.CompletionItem(
        label=offer.label,
        kind=_KINDS[offer.kind],
        documentation=types.MarkupContent(types.MarkupKind.Markdown, offer.description) if offer.description else None,
        sort_text=f"{number:04}",
        filter_text=offer.text,
        text_edit=types.TextEdit(types.Range(start, at), offer.text),
    )


async def _hover(server: LanguageServer, session: _Session, request: types.HoverParams) -> types.Hover | None:
    path = to_fs_path(request.text_document.uri) or ""
    spec = session.spec_of(path)
    if spec is None:
        return None
    document = server.workspace.get_text_document(request.text_document.uri)
    at = document.position_from_client_units(request.position)
    line = document.lines[at.line] if at.line < len(document.lines) else ""
    cursor = cursor_at(document.source, at.line, end_of_word(line, at.character))
    base = cursor.path if environment_of(path) is not None else in_base(cursor.path)
    if cursor.is_key:
        place: tuple[str, ...] = (*map(str, base), cursor.word.strip("\"'"))
    else:
        address = address_of(base, cursor.word.strip("\"'"))
        place = tuple(address.split(".")) if address else tuple(map(str, base))
    lines = await asyncio.to_thread(session.knowledge.describe, spec, dict(session.texts), place)
    if not lines or not cursor.word:
        return None
    return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, "\n".join(lines)))
