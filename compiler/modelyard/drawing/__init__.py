"""Diagrams of a system: two views of it, each in any of five notations.

A view makes a `Picture` of a system or its plan; a notation makes text of a `Picture` and knows nothing of systems.
Whatever comes from a spec reaches a notation as text, which alone escapes it.
"""
