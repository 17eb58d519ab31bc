"""Fine-tunes language models using low-rank adapters, which are trained with MLX and evaluated by perplexity."""
