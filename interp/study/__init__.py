"""A finished run in Python: the study, its features, and the views of them that all pages share."""

from interp.study.study import Study, open

__all__ = ["Study", "open"]
