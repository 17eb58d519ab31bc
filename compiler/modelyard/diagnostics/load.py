"""Diagnostics about text that cannot be read as a spec: E01."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def not_utf8(span: Span, byte: int, is_wide: bool = False) -> Diagnostic:
    """A spec must be UTF-8 text.

    modelyard does not guess encodings, because the same bytes could mean different text on different machines. Save the
    file as UTF-8 in your editor; a byte order mark is allowed. Older Windows shells write UTF-16 with `>`.

    Wrong: a file saved as Latin-1, where `ü` is the single byte FC.

    Right: the same file saved as UTF-8.
    """
    return Diagnostic(
        "E0101",
        Severity.ERROR,
        "this is UTF-16, not UTF-8 text" if is_wide else f"this is not UTF-8 text: unexpected byte {byte:02X}",
        span,
        "save the file as UTF-8",
    )


def forbidden_character(span: Span, character: str) -> Diagnostic:
    """Control characters, text direction overrides and surrogate halves are not allowed in a spec.

    They are invisible or change how a line looks, so a reviewer reads something different from the parser. This applies
    to the character itself and to its escape in double quotes.
    Line breaks are `LF` or `CRLF`; a tab is allowed inside a value.

    Wrong:

        metadata: {name: "fraud\\0detection"}

    Right:

        metadata: {name: fraud-detection}
    """
    return Diagnostic(
        "E0102",
        Severity.ERROR,
        f"character U+{ord(character):04X} ({_character_kind(character)}) is not allowed in a spec",
        span,
        "remove it",
    )


def _character_kind(character: str) -> str:
    code = ord(character)
    if 0xD800 <= code <= 0xDFFF:
        return "half of a surrogate pair"
    if character in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069":
        return "a text direction control"
    if character in "\u0085\u2028\u2029":
        return "a line break that YAML 1.2 does not support"
    if code == 0xFEFF:
        return "a byte order mark in the middle of the text"
    return "not a character" if code in {0xFFFE, 0xFFFF} else "a control character"


def syntax(span: Span, problem: str, hint: str) -> Diagnostic:
    """The text is not valid YAML.

    The message describes the problem, and the hint suggests the usual fix. Nothing after this position was read, so fix
    this first and run again.

    Wrong:

        metadata: {name: fraud-detection
        governance: {owner: {team: payments}}

    Right:

        metadata: {name: fraud-detection}
        governance: {owner: {team: payments}}
    """
    return Diagnostic("E0103", Severity.ERROR, problem, span, hint)


def tab_indentation(span: Span) -> Diagnostic:
    """YAML must be indented with spaces.

    A tab has no fixed width, so YAML does not allow it as indentation.

    Wrong: a line of `inference:` that begins with a tab.

    Right:

        inference:
          scorer:
            replicas: 2
    """
    return Diagnostic(
        "E0104", Severity.ERROR, "a tab is used for indentation", span, "indent with spaces, two for each level"
    )


def empty_document(span: Span) -> Diagnostic:
    """The file contains only blank lines and comments.

    Wrong: an empty file.

    Right:

        apiVersion: modelyard.dev/v1alpha1
        kind: MLSystem
        metadata: {name: fraud-detection}
    """
    return Diagnostic(
        "E0105", Severity.ERROR, "the spec is empty", span, "begin with 'apiVersion: modelyard.dev/v1alpha1'"
    )


def second_document(span: Span) -> Diagnostic:
    """A file may contain only one system.

    A line `---` or `...` starts another document, which would be silently ignored.

    Wrong:

        metadata: {name: fraud-detection}
        ---
        metadata: {name: churn}

    Right: two files, one for each system.
    """
    return Diagnostic(
        "E0106",
        Severity.ERROR,
        "a second document starts here, but a file may contain only one",
        span,
        "move it to its own file, or remove the separator line",
    )


def top_level_not_a_mapping(span: Span, actual: str) -> Diagnostic:
    """A spec must be a mapping of sections.

    Wrong:

        - apiVersion: modelyard.dev/v1alpha1

    Right:

        apiVersion: modelyard.dev/v1alpha1
    """
    return Diagnostic(
        "E0107",
        Severity.ERROR,
        f"a spec must be a mapping of sections, but this is {actual}",
        span,
        "write 'section: …' at the beginning of a line, without a dash",
    )


def duplicate_key(span: Span, key: str, first_line: int) -> Diagnostic:
    """A key appears twice in one mapping.

    YAML parsers disagree about which of the two values applies.

    Wrong:

        scorer:
          replicas: 2
          replicas: 4

    Right:

        scorer:
          replicas: 4
    """
    return Diagnostic(
        "E0108",
        Severity.ERROR,
        f"key {quote(key)} appears twice in this mapping",
        span,
        f"keep one of the two; the first is on line {first_line}",
    )


def key_not_text(span: Span, actual: str, hint: str) -> Diagnostic:
    """Keys must be strings.

    An unquoted `1`, `true` or `null` is not a string in YAML, and neither is a mapping, a list or an alias.

    Wrong:

        labels: {2024: season}

    Right:

        labels: {"2024": season}
    """
    return Diagnostic("E0109", Severity.ERROR, f"a key must be a string, but this is {actual}", span, hint)


def explicit_tag(span: Span, tag: str) -> Diagnostic:
    """Tags such as `!!python/object` or `!secret` are not allowed.

    A spec is plain data: strings, numbers, true or false, lists and mappings. Core tags are allowed only if they match
    the value, and `!!str` is allowed before any scalar.

    Wrong:

        metadata: {name: !Sub "${stage}-fraud"}

    Right:

        metadata: {name: "${vars.stage}-fraud"}
    """
    return Diagnostic("E0110", Severity.ERROR, f"tag {quote(tag)} is not allowed", span, "remove the tag")


def merge_key(span: Span) -> Diagnostic:
    """The merge key `<<` is not part of YAML 1.2.

    YAML parsers implement it differently. Define a compute class, use a variable, or put the differences in an
    environment.

    Wrong:

        retrain: {<<: *defaults, timeout: 6h}

    Right:

        retrain: {compute: train, timeout: 6h}
    """
    return Diagnostic(
        "E0111",
        Severity.ERROR,
        "the merge key '<<' is not part of YAML 1.2",
        span,
        "write the fields out, or define shared values under `compute` or `vars`",
    )


def number_not_finite(span: Span, text: str) -> Diagnostic:
    """Numbers must be finite.

    `.inf`, `.nan` and numbers too large for a float cannot be written as JSON, so no tool could read them later.

    Wrong:

        checks: {psi: {max: .inf}}

    Right: omit the bound.
    """
    return Diagnostic(
        "E0112",
        Severity.ERROR,
        f"{quote(text)} is not a finite number",
        span,
        "use a finite number, or put it in quotes to make it a string",
    )


def integer_too_large(span: Span, text: str) -> Diagnostic:
    """Integers range from -9007199254740992 to 9007199254740992 (2 to the power of 53).

    JSON parsers round larger numbers inconsistently. Quote an identifier that consists of digits.

    Wrong:

        labels: {account: 123456789012345678}

    Right:

        labels: {account: "123456789012345678"}
    """
    return Diagnostic(
        "E0113",
        Severity.ERROR,
        f"integer {shorten_digits(text)} is too large",
        span,
        "quote it if it is an identifier; the largest integer is 9007199254740992",
    )


def shorten_digits(text: str) -> str:
    """Shorten a long number to its first digits and its length."""
    return text if len(text) <= 24 else f"{text[:12]}… ({len(text)} characters)"


def recursive_alias(span: Span, name: str) -> Diagnostic:
    """An alias is inside the value that it refers to.

    Wrong:

        labels: &labels {self: *labels}

    Right: an alias after the value that it repeats.
    """
    return Diagnostic(
        "E0118", Severity.ERROR, f"alias {quote('*' + name)} contains itself", span, "write the value out"
    )


def unknown_alias(span: Span, name: str, hint: str) -> Diagnostic:
    """An alias refers to an anchor that is not defined before it.

    Quote a string that begins with an asterisk.

    Wrong:

        clients: [*]

    Right:

        clients: ["*"]
    """
    return Diagnostic(
        "E0119", Severity.ERROR, f"anchor {quote('&' + name)} is not defined before this alias", span, hint
    )
