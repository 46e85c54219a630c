"""Variables of the environment with which processes that compute are started."""

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
# The C library of Linux keeps memory that is freed.  By default it gives that of every
# batch back to the system, and a tenth of a training passes with getting it again.
MEMORY = {"MALLOC_TRIM_THRESHOLD_": "268435456", "MALLOC_MMAP_THRESHOLD_": "33554432"}
