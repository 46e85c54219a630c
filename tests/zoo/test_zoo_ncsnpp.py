"""NCSN++: what it shares with RVE, and what it starts from."""

import pytest
import torch

from manifpt_utils._support.paths import DATA
from manifpt_utils.images.factors import read_factors
from manifpt_utils.zoo import ncsn
from manifpt_utils.zoo.registry import MODELS


def test_rve_and_ncsnpp_differ_in_the_loss_only():
    table = read_factors((DATA / "factors.csv").read_bytes())
    rows = table.loc[["ncsnpp", "rve"], ["family", "up", "nl_last", "norm", "down"]]
    assert len(rows.drop_duplicates()) == 1
    weights = [MODELS[m].build().generator.state_dict() for m in rows.index]
    shapes = [{k: v.shape for k, v in w.items()} for w in weights]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("deviation", [0.0, ncsn.SPREAD])
def test_the_score_corrects_that_of_gaussian_images(deviation):
    """No output is right for Gaussian images, a large one for images all alike."""

    def network(x, log_sigma):
        ratio = ncsn.SPREAD / log_sigma.exp()[:, None, None, None]
        return x * ratio * (deviation / ncsn.SPREAD - 1)

    noisy, sigma = torch.randn(4, 3, 8, 8), torch.tensor([0.01, 0.3, 2.0, 30.0])
    sigma = sigma[:, None, None, None]
    score = ncsn.Score(network)(noisy, sigma)
    torch.testing.assert_close(score, -noisy / (sigma**2 + deviation**2))


def test_noise_levels_are_even_in_the_logarithm():
    torch.manual_seed(0)
    logs = MODELS["ncsnpp"].build()._levels(20_000).log()
    low, high = (torch.tensor(s).log() for s in (ncsn.SMALLEST, ncsn.LARGEST))
    counts = torch.histc((logs - low) / (high - low), 10, 0, 1)
    assert (counts / 2000 - 1).abs().max() < 0.1
