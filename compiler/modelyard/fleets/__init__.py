"""Compile a group of sites once, check it for all of them, and emit one project with a stack for each."""
