"""The README of a target."""
