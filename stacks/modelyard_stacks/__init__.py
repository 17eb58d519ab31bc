"""Pulumi components for emitted programs. The compiler copies the modules a program needs to its folder."""
