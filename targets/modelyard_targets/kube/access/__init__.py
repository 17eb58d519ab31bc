"""Who may do what: namespaces, identities, Secrets, admission and network policies of workloads."""
