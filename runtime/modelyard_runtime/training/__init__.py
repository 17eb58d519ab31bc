"""Training, including data and splits, built-in trainers, hyperparameter search, evaluation and explanations."""
