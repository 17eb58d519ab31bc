"""PyYAML, without compiling the regular expressions of its own loaders: only its parser is used here."""

from modelyard.patterns import compiled_when_used

with compiled_when_used():
    import yaml

__all__ = ["yaml"]
