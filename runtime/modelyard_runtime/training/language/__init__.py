"""Fine-tunes language models: low-rank adapters on a base model, trained with MLX and evaluated by their perplexity."""
