"""Rehearse a migration on this machine: run the migration plan's commands, with stand-ins for clouds and clusters."""
