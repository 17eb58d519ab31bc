"""The Jobs of pipelines on a cluster: launched by a schedule, after another run, or after a breach."""
