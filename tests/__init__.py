"""The tests. Set before NumPy is loaded: small matrices are many times slower where several threads share them."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
