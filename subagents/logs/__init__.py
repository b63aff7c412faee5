"""The logs specialist.

Blocks are read, scanned and counted side by side, each in a thread of its own: threads of the libraries' own would
only be woken and waited for, a thousand times in a pass. Who sets their number otherwise is heard.
"""

import os

os.environ.setdefault("POLARS_MAX_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
