"""Diagrams of a system: two views, each in any of five notations.

A view turns a system or its plan into a `Picture`. A notation turns a `Picture` into text, independently of systems,
and is the only place that escapes text from a spec.
"""
