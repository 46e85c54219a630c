"""Random numbers inside a block, and none lost outside."""

import torch

from manifpt_utils._support.random_state import forked_random_state


def test_a_block_repeats_with_its_seed_and_leaves_the_state_outside():
    before = torch.get_rng_state()
    drawn = []
    for seed in (3, 3, 4):
        with forked_random_state(seed):
            drawn.append(torch.rand(2).tolist())
    assert drawn[0] == drawn[1] != drawn[2]
    assert torch.equal(torch.get_rng_state(), before)


def test_without_a_seed_it_goes_on_from_outside():
    with forked_random_state():
        inside = torch.rand(2)
    assert torch.equal(torch.rand(2), inside)
