"""Tables on disk, what an analysis is, and which are known."""
