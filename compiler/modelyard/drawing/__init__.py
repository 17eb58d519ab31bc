"""Diagrams of a system: two views, each available in five notations.

A view turns a system or its plan into a `Picture`. A notation turns a `Picture` into text without access to the system,
and only notations escape strings from a spec.
"""
