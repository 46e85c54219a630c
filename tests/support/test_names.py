"""The names that notebooks may use are those of the rooms that own them."""

import pytest

from manifpt_utils._support import names
from manifpt_utils._support.paths import DATA
from manifpt_utils.baselines import BASELINES
from manifpt_utils.images.factors import FACTORS
from manifpt_utils.images.photograph import PHOTOGRAPHS
from manifpt_utils.images.postprocessing import POSTPROCESSINGS
from manifpt_utils.method.encoder_training import RECIPES
from manifpt_utils.method.manifold import ESTIMATORS, METRICS
from manifpt_utils.method.representations import KINDS
from manifpt_utils.method.spaces import ALIASES, SPACES


@pytest.mark.parametrize(
    ("named", "owned"),
    [
        (names.SPACES, SPACES),
        (names.ESTIMATORS, ESTIMATORS),
        (names.KINDS, KINDS),
        (names.METRICS, METRICS),
        (names.BASELINES, BASELINES),
        (("none", *names.TREATMENTS), POSTPROCESSINGS),
        (names.ENCODERS, RECIPES),
        (names.PHOTOGRAPHS, PHOTOGRAPHS),
        (names.EXPERIMENTS, [p.name for p in (DATA / "experiments").glob("*/")]),
        (names.FACTORS, FACTORS),
    ],
)
def test_names_are_those_of_their_owner(named, owned):
    assert list(named) == list(owned)


def test_an_alias_stands_for_a_space_and_is_none():
    assert names.SPACE_ALIASES == ALIASES
    assert set(names.SPACE_ALIASES.values()) <= set(names.SPACES)
    assert not set(names.SPACE_ALIASES) & set(names.SPACES)
