"""How a version gets an alias: gate, approvals, soak times and change windows, and the history of moves."""
