"""The adapters of this project, one line each."""

import recmodels.adapters.gsasrec
import recmodels.adapters.ncf
import recmodels.adapters.pmixer
import recmodels.adapters.recbole_checkpoint
import recmodels.adapters.rectools
import recmodels.adapters.replay
import recmodels.adapters.transformers_model
import recmodels.adapters.user_vectors  # noqa: F401
