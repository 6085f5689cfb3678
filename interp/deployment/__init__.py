"""From a study to a folder that a service runs: the recommender exported, dictionaries as tensors, steers."""
