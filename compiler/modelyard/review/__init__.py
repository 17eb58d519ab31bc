"""Compare two versions of a system, and judge each change by its meaning."""
