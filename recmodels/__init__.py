"""Recommenders: data in, ranked lists out. Knows nothing of interpretation."""
