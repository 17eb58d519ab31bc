"""What IAM, a bucket's policy, a key's policy and an endpoint's policy allow together, decided in front of moto."""
