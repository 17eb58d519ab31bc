"""How aliases move to new versions: gates, approvals, soak times, change windows, and the history of moves."""
