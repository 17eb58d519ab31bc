"""Strings that are code in one of the languages in which the compiler emits spec values."""

from __future__ import annotations

from typing import Final

NASTY: Final = (
    "'", '"', '"""', "'''", "\\", "\\\\", "\\n", "a\nb", "a\r\nb", "\n", "a: b", "a:", "- a", "a # b", "#a", "{a: b}",
    "[a]", "*a", "&a", "!a", "|", ">", "%a", "@a", "`id`", "? a", "---", "...", "---\nkind: Secret",
    "a\n---\nkind: Secret\n", "a\n  b: c", "no", "null", "~", "1e3", "0x10", "012", "1_000", "2026-01-01", "12:30:45",
    "=", "<<", "${x}", "${{ github.token }}", "{{ x }}", "{% raw %}", "{{ 7*7 }}", "{{`x`}}", "$(id)", "$(POD_IP)",
    "$$(POD_IP)", "$HOME", "; rm -rf /", "&& id", "| id", "a b", "-rf", " --help", "'; DROP TABLE models;--",
    "\"; import os; os.system('id'); \"", "'+__import__('os').system('id')+'", "\\x27", "\\N{BULLET}", "\x00", "\x07",
    "\x1b[31mred", "\x85", "\u2028", "\u202egnp", "\u200b", "\ufeff", "\U0001f600", "é",
    "</script><script>alert(1)</script>", "<b>a</b>", "<!-- a", "-->", "&amp;", "[a](javascript:alert(1))",
    "![a](https://x.example/a.png)", "# a", "## a\n\n- b", "| a | b |", "**a**", "```\na", "`a", "~~~", "\\`",
    '"} or vector(1) #', '", job=~".*"} or on() vector(1', "a} by (x)", "a\\", ".*", "a|b", "^a$", "(", "[",
    "../../x", "/etc/passwd", "..", ".", "a/../../b", "a/b", "a\\b", "C:\\x", "con", "a" * 5000, "%s %d {0} {a}",
    "%(a)s", "${jndi:ldap://x}", "https://x.example/?a=b&c=d", "file:///etc/passwd", "s3://a/../b", "secret://a/b#c",
    "data:text/html,<b>", "a,b", "a;b", "a=b", "\t", " a ", "",
)  # fmt: skip

WORST: Final = (
    *(
        '"',
        "'",
        '"""',
        "\\",
        "a\nb",
        "a: b",
        "- a",
        "a # b",
        "*a",
        "---\nkind: Secret",
        "no",
        "${{ github.token }}",
        "{{ x }}",
    ),
    *(
        "$(POD_IP)",
        "; rm -rf /",
        "\"; import os; os.system('id'); \"",
        "\u202egnp",
        "</script><script>alert(1)</script>",
    ),
    *("[a](javascript:alert(1))", "## a\n\n- b", "```\na", '"} or vector(1) #', "../../x", "\x1b[31mred", "\x00"),
)
"""Nasty strings, one for each kind of syntax."""
