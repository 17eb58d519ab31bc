"""The code that runs in a system's Pods. Each verb reads the compiled description of its workload."""
