"""Diagnostics about systems whose parts fit together but make no sense, or break their own rules: E04 and W04."""
