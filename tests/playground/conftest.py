"""A small attributor of two models, and the images that it has not seen."""

import pytest

from manifpt_utils.images.loading import load
from manifpt_utils.playground.looking import divided, prepared


@pytest.fixture(scope="session")
def known():
    return load("gm-photo/coffee", models=["dcgan", "ddpm"], n_real=300)


@pytest.fixture(scope="session")
def shown(known):
    return divided(known, 60)[1]


@pytest.fixture(scope="session")
def attributor(known, tmp_path_factory):
    part, _ = divided(known, 60)
    return prepared(part, folder=tmp_path_factory.mktemp("kept"))
