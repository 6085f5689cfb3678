"""Dictionaries: activations read through traces, sparse autoencoders trained on them, and how good those are."""
