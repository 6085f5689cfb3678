"""What features mean: the histories that light them, the items they move, labels, probes, and reasons for an item."""
