"""The adapters of this project, one line each."""

import recmodels.adapters.recbole  # noqa: F401
