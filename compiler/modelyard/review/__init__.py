"""Compare two versions of a system, and judge each change by what it means."""
