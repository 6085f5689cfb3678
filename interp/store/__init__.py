"""Tables on disk, the record of an analysis, and the registry of analyses."""
