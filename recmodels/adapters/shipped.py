"""The adapters of this project, one line each."""
