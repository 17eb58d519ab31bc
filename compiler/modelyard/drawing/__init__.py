"""Diagrams of a system: two views, each in any of five notations.

A view turns a system or its plan into a `Picture`; a notation turns a `Picture` into text and does not depend on
systems. Text from a spec is escaped by the notation, and only there.
"""
