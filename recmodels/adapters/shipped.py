"""The adapters of this project, one line each."""

import recmodels.adapters.gsasrec
import recmodels.adapters.pmixer
import recmodels.adapters.recbole
import recmodels.adapters.rectools
import recmodels.adapters.replay  # noqa: F401
