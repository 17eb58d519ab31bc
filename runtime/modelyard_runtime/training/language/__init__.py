"""Fine-tunes language models with low-rank adapters, which are trained with MLX and evaluated by perplexity."""
