"""The adapters of this project, one line each."""

import recmodels.adapters.rectools
import recmodels.adapters.replay  # noqa: F401
