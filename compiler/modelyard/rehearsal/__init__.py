"""Rehearse a migration locally by running the plan's commands with stand-ins for clouds and clusters."""
