"""Pulumi components for emitted programs. The compiler copies the modules a program needs to a place next to it."""
