"""Pulumi components that emitted programs import; the modules that a program needs lie beside it, as they are here."""
