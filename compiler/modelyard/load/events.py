"""Parse YAML into events, using libyaml if PyYAML includes it, and explain syntax errors to users."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol, TypeAlias, cast

import yaml

from modelyard.patterns import pattern
from modelyard.records import record, replace
from modelyard.source import Lines

NextEvent: TypeAlias = "Callable[[], Any]"

HAS_LIBYAML: Final = bool(yaml.__with_libyaml__)


class _Parser(Protocol):
    def get_event(self) -> Any: ...


@record
class SyntaxProblem:
    """A syntax error: our message, a hint, and the position, counted from 0."""

    message: str
    hint: str
    line: int
    column: int
    is_tab: bool = False


_BRACKETS = "close it with ']' or '}', and separate the entries with commas"
_ALIGN = "align the keys of a mapping, and indent each value deeper than its key"
_COLON = f"quote a string that contains ': '; {_ALIGN}"
_ESCAPE = "write '\\\\' for a backslash"
_SIGN = "quote a string that begins with '&' or '*'"
_NO_TAG = "remove the tag"
_BAD_START = "an unquoted string cannot begin with this character"
_DASH = "put the '-' on a separate line"
_NEXT_LINE = "begin the string on the next line"

_NO_SPACE: Final = pattern(r"\s*[\w.-]+(:)(?=[^\s:/])")
_NO_BREAK: Final = pattern("[ -]*+(?:[A-Za-z0-9_][A-Za-z0-9_-]*+:)?+([\u00a0\u2000-\u200b\u202f\u3000])")
_OPENING: Final = {quotes: pattern(rf"[:,\[{{-]\s*({quotes})[^{quotes}]*\Z") for quotes in ('"', "'")}
_SHOWN: Final = 300
"""The maximum length of a line in which to search for patterns that backtrack, because they repeat several parts."""
_HIDDEN: Final = pattern(r"[{\[].*?[:,] +(#\w.*[}\]])")
_LOOKED_BACK: Final = 1000
_KEY: Final = pattern(r"\s*(?:- +)?([\w.-]+)\s*:")

_PROBLEMS: Final = (
    ("mapping values are not allowed", "a colon is not allowed here", _COLON),
    ("found character", _BAD_START, "put the string in quotes"),
    ("found a tab character", "a tab is used for indentation", "indent with spaces"),
    ("did not find expected node content", "a value is missing here", _BRACKETS),
    ("expected the node content", "a value is missing here", _BRACKETS),
    ("did not find expected '-' indicator", "a list entry must start with '-'", _ALIGN),
    ("did not find expected key", "a key was expected here", _ALIGN),
    ("expected <block end>", "a key was expected here", _ALIGN),
    ("found unknown escape character", "unknown escape in double quotes", _ESCAPE),
    ("did not find expected hexdecimal", "an escape in double quotes lacks hexadecimal digits", _ESCAPE),
    ("expected escape sequence of", "an escape in double quotes lacks hexadecimal digits", _ESCAPE),
    ("found invalid Unicode character escape", "an escape in double quotes is not a valid character", "remove it"),
    ("block sequence entries are not allowed", "a list cannot begin here", _DASH),
    ("sequence entries are not allowed", "a list cannot begin here", _DASH),
    ("mapping keys are not allowed", "a key cannot begin here", "put it on a separate line"),
    ("found duplicate", "the same directive appears twice", "remove one"),
    ("found incompatible YAML document", "only YAML 1.1 and 1.2 can be read", "remove the '%YAML' line"),
    ("found undefined tag handle", "this tag's handle is not declared", _NO_TAG),
    ("found unknown directive", "unknown directive", "remove the line that begins with '%'"),
    ("did not find expected alphabetic", "a name is missing after '&' or '*'", _SIGN),
    ("expected alphabetic", "a name is missing after '&' or '*'", _SIGN),
    ("did not find expected comment or line", "only a comment may follow here", _NEXT_LINE),
    ("expected a comment or a line break", "only a comment may follow here", _NEXT_LINE),
    ("found an indentation indicator equal", "the indentation cannot be 0", "write only '|' or '>'"),
    ("did not find expected <document start>", "nothing can follow the end of the document", "remove this"),
    ("expected '<document start>'", "nothing can follow the end of the document", "remove this"),
    ("did not find the expected '>'", "a tag is not closed", _NO_TAG),
    ("did not find expected tag URI", "this tag has no name", "quote a string that begins with '!'"),
    ("did not find expected whitespace", "a space is missing here", "put a space after a tag or an anchor"),
)  # fmt: skip
"""The beginning of a libyaml or PyYAML message, our message, and the hint. The first match is used."""

_OPENED: Final = (
    ("did not find expected ',' or", "this list or mapping in brackets is not closed", _BRACKETS),
    ("expected ',' or", "this list or mapping in brackets is not closed", _BRACKETS),
    ("found unexpected end of stream", "this quoted string is not closed", "close the quotes"),
    ("found unexpected document", "this quoted string is not closed", "close the quotes"),
    ("could not find expected ':'", "this key lacks a colon", "write 'key: value', with a space after the colon"),
)
"""Like `_PROBLEMS`, for problems that the parser notices late. They are reported at the position where they begin."""


def next_event(text: str, pure: bool = not HAS_LIBYAML) -> NextEvent:
    """Return a function that returns the next event, or raises `yaml.YAMLError` if the text isn't YAML.

    PyYAML's own parser is about ten times slower than libyaml.
    """
    parser = cast("_Parser", yaml.SafeLoader(text) if pure else yaml.CSafeLoader(text))
    return parser.get_event


def syntax_problem(error: yaml.YAMLError, lines: Lines) -> SyntaxProblem:
    """Convert the parser's error to our own message, located where the user should look."""
    problem = _worded(error)
    earlier = _comment(problem, lines) or _conflict(problem, lines) or _space(problem, lines) or _quotes(problem, lines)
    if earlier is not None:
        return earlier
    line = lines[problem.line]
    before, character = line[: problem.column], line[problem.column : problem.column + 1]
    if character == "\t" and not before.strip():
        return replace(problem, is_tab=True)
    if character and character in "]}" and problem.hint == _ALIGN:
        return replace(problem, message=f"this '{character}' has no matching opening bracket", hint="remove it")
    if problem.hint == _SIGN and before.strip() == "*":
        return replace(problem, message="a list does not begin with '*'", hint="begin each entry with '- '")
    if problem.message == _BAD_START and character:
        return replace(problem, message=f"an unquoted string cannot begin with '{character}'")
    return _colon(problem, lines) if problem.hint == _COLON else problem


def _comment(problem: SyntaxProblem, lines: Lines) -> SyntaxProblem | None:
    """Find a comment that hides the end of brackets, as in `{type: slack, room: #alerts}`."""
    for at in range(problem.line, max(-1, problem.line - 3), -1) if problem.hint == _BRACKETS else ():
        match = _HIDDEN.search(lines[at][:_SHOWN])
        if match:
            message = "this is a comment, which hides the end of the brackets before it"
            return SyntaxProblem(message, "quote a string that begins with '#'", at, match.start(1))
    return None


def _conflict(problem: SyntaxProblem, lines: Lines) -> SyntaxProblem | None:
    """Find an unresolved git conflict marker."""
    for at in range(problem.line, max(-1, problem.line - 3), -1):
        if lines[at].startswith(("<<<<<<< ", ">>>>>>> ")) or lines[at] == "=======":
            return SyntaxProblem("this is a merge conflict marker", "keep one of the two versions", at, 0)
    return None


def _space(problem: SyntaxProblem, lines: Lines) -> SyntaxProblem | None:
    """Find a character that only looks like a space (usually pasted) on this line or the two above."""
    for at in range(problem.line, max(-1, problem.line - 3), -1):
        match = _NO_BREAK.match(lines[at])
        if match:
            message = f"this is U+{ord(match[1]):04X}, which only looks like a space"
            return SyntaxProblem(message, "write a space instead", at, match.start(1))
    return None


def _quotes(problem: SyntaxProblem, lines: Lines) -> SyntaxProblem | None:
    """Find a string opened on an earlier line that the quote at the error's position closed by mistake."""
    before = lines[problem.line][: problem.column]
    for quotes, opening in _OPENING.items():
        if before.count(quotes) % 2 == 0:
            continue
        for at in range(problem.line - 1, max(-1, problem.line - _LOOKED_BACK), -1):
            if lines[at].count(quotes) % 2:
                match = opening.search(lines[at])
                hint = f"close the quotes; they now extend to line {problem.line + 1}"
                return match and SyntaxProblem("this quoted string is not closed", hint, at, match.start(1))
    return None


def _colon(problem: SyntaxProblem, lines: Lines) -> SyntaxProblem:
    """Find the cause of a misplaced colon: a missing space above, a key that is indented too far, or unquoted text."""
    line = lines[problem.line]
    above = next((at for at in range(problem.line - 1, -1, -1) if lines[at].strip()), None)
    unspaced = _NO_SPACE.match(lines[above]) if above is not None else None
    if above is not None and unspaced:
        hint = "write 'key: value', with a space after the colon"
        return SyntaxProblem("a space is missing after the colon", hint, above, unspaced.end(1) - 1)
    key = _KEY.match(line)
    if key is None or key.end() - 1 < problem.column:
        return replace(problem, hint="put a string that contains ': ' in quotes")
    message = "this key is indented deeper than the previous one, which already has a value"
    return SyntaxProblem(message, "align it with the previous key", problem.line, key.start(1))


def _worded(error: yaml.YAMLError) -> SyntaxProblem:
    if not isinstance(error, yaml.MarkedYAMLError):
        return SyntaxProblem("this is not YAML", "", 0, 0)
    problem = error.problem or ""
    mark = error.problem_mark or error.context_mark
    opened = error.context_mark or mark
    if mark is None or opened is None:
        return SyntaxProblem("this is not YAML", "", 0, 0)
    for beginning, message, hint in _OPENED:
        if problem.startswith(beginning):
            if hint == _BRACKETS and mark.line == opened.line:
                return SyntaxProblem("a comma or a closing bracket is missing here", hint, mark.line, mark.column)
            return SyntaxProblem(message, hint, opened.line, opened.column)
    for beginning, message, hint in _PROBLEMS:
        if problem.startswith(beginning):
            return SyntaxProblem(message, hint, mark.line, mark.column)
    return SyntaxProblem("this is not YAML", "", mark.line, mark.column)
