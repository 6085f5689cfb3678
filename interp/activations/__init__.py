"""Activations: collecting and storing them, encoding them as features, and training dictionaries on them."""
