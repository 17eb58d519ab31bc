"""Pulumi components for emitted programs. The compiler copies the modules that a program needs to its folder."""
