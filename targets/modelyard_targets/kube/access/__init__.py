"""Access control: namespaces, identities, Secrets, admission policies, and network policies for workloads."""
