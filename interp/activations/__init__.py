"""Collecting activations, stores of them, what dictionaries make of them, and training dictionaries."""
