"""Access control: namespaces, identities, Secrets, admission policies and network policies of workloads."""
