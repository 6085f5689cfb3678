"""The recommender as nnsight envoys; the only room that touches nnsight's internals."""
