"""What runs inside the Pods of a system: each verb reads the compiled description of its workload and nothing else."""
