"""Training: data and splits, built-in trainers, searches, evaluation and explanations."""
