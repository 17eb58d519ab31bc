"""Rehearse a migration on this machine: the plan's commands, with stand-ins for what only clouds and clusters have."""
