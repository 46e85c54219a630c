"""A folder of images whose three models differ as plainly as could be."""

import pytest
from patterns import PATTERNS, pictures, write

from manifpt_utils.images.loading import load


@pytest.fixture(scope="session")
def root(tmp_path_factory):
    """`real/` and three models, 60 images each, with 300 real ones."""
    root = tmp_path_factory.mktemp("images") / "patterns"
    for name in ("real", *PATTERNS):
        write(root / name, pictures(name, 300 if name == "real" else 60))
    return root


@pytest.fixture(scope="session")
def benchmark(root):
    return load(root)
