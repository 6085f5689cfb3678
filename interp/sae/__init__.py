"""Sparse autoencoders: dictionaries of dictionary_learning, and where they came from. No tracing."""
