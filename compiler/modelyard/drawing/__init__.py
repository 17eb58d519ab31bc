"""Diagrams of a system: two views, each in any of five notations.

A view turns a system or its plan into a `Picture`. A notation turns a `Picture` into text without access to the system,
and is the only place where text from a spec is escaped.
"""
