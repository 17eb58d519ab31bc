"""What is told about a system that fits together but makes no sense, or breaks its own rules: E04 and W04."""
