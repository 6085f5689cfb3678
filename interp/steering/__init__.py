"""Steers as people write them: words, edits of hidden states, checks, and JSON. Nothing here traces a model."""
