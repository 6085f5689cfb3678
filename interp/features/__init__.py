"""What features mean: examples, labels, effects, explanations."""
