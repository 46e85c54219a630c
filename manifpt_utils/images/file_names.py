"""Which file an image of a benchmark was read from."""

import pandas as pd

from .copies import digests


def files_of(benchmark):
    """File names by class and digest of the pixels, the first of copies: a Series.

    Parameters
    ----------
    benchmark : Benchmark
    """
    if benchmark.audit is None:
        empty = pd.MultiIndex.from_tuples([], names=["class", "digest"])
        return pd.Series([], index=empty, name="file", dtype=object)
    files = benchmark.audit.files.reset_index().drop_duplicates(["class", "digest"])
    return files.set_index(["class", "digest"])["file"]


def names_of(images, name, benchmark):
    """Names of the files of some images of a class, or their numbers.

    Parameters
    ----------
    images : (n, h, w, 3) uint8 array
    name : str
        The class.
    benchmark : Benchmark

    Returns
    -------
    list of str
    """
    files = files_of(benchmark)
    keys = [(name, digest) for digest in digests(images)]
    return [files.get(key, f"{name} {i}") for i, key in enumerate(keys)]
