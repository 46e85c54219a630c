"""VQ-GAN: codes, straight-through gradients, the balance of losses, the prior."""

import pytest
import torch
from torch import nn

from manifpt_utils.zoo import vqgan


@pytest.fixture(scope="module")
def first():
    torch.manual_seed(0)
    return vqgan.Autoencoding(codes=32, channels=8, rate=1e-3)


@pytest.fixture
def prior():
    torch.manual_seed(0)
    prior = vqgan.Transformer(16, width=24, heads=2, depth=2)
    nn.init.normal_(prior.places)
    return prior


def images(n, seed=0):
    return torch.rand(n, 3, 32, 32, generator=torch.Generator().manual_seed(seed)) - 0.5


# Codes


def test_codes_are_those_of_the_nearest_vectors():
    torch.manual_seed(0)
    book, features = vqgan.Codebook(12, 5), torch.randn(2, 5, 3, 4)
    flat = features.permute(0, 2, 3, 1).flatten(0, 2)
    expected = (
        torch.cdist(flat, book.vectors.detach()).argmin(1).unflatten(0, (2, 3, 4))
    )
    assert torch.equal(book.nearest(features), expected)
    assert torch.equal(book.nearest(book(expected)), expected)


def test_the_vectors_start_from_features_of_images():
    book, features = vqgan.Codebook(50, 3), torch.randn(2, 3, 4, 4)
    book.start_from(features)
    flat = features.permute(0, 2, 3, 1).flatten(0, 2)
    assert (book.vectors[:, None] == flat).all(2).any(1).all()


def test_the_gradient_passes_the_codebook_as_if_it_were_not_there():
    torch.manual_seed(0)
    book, features = vqgan.Codebook(12, 5), torch.randn(2, 5, 3, 3, requires_grad=True)
    vectors, _ = book.quantise(features)
    torch.testing.assert_close(vectors, book(book.nearest(features)))
    weights = torch.randn_like(vectors)
    (slope,) = torch.autograd.grad((weights * vectors).sum(), features)
    torch.testing.assert_close(slope, weights)


def test_the_codebook_loss_pulls_both_sides_and_the_features_a_quarter_as_hard():
    book = vqgan.Codebook(1, 2)
    features = book.vectors.detach().reshape(1, 2, 1, 1) + 1.0
    features.requires_grad_(True)
    _, loss = book.quantise(features)
    loss.backward()
    torch.testing.assert_close(loss.detach(), torch.tensor(1.25))
    torch.testing.assert_close(book.vectors.grad, torch.full((1, 2), -1.0))
    torch.testing.assert_close(features.grad, torch.full((1, 2, 1, 1), 0.25))


def test_images_become_a_quarter_as_wide_and_back(first):
    features = first.encode(images(2))
    assert features.shape == (2, 8, vqgan.SIDE, vqgan.SIDE)
    assert first.decoder(features).shape == (2, 3, 32, 32)


def test_a_logit_of_the_critic_sees_a_patch_of_sixteen_pixels():
    critic, x = vqgan.patch_critic().eval(), images(1).requires_grad_(True)
    logits = critic(x)
    (slope,) = torch.autograd.grad(logits[0, 0, 7, 7], x)
    rows = slope.abs().sum((0, 1, 3)).nonzero().flatten()
    assert len(rows) == rows.max() - rows.min() + 1 == 16


# Losses


def test_the_feature_distance_is_zero_only_between_equals(first):
    a, b = images(2), images(2, seed=1)
    assert first.distance(a, a) == 0
    assert first.distance(a, b) > 0.01
    torch.testing.assert_close(first.distance(a, b), first.distance(b, a))


def test_the_adversarial_gradient_is_scaled_to_a_share_of_the_other(first):
    decoded, _ = first._autoencode(images(4))
    fit, fooling = decoded.abs().mean(), 1000 * decoded.mean()
    weight = first.decoder.conv_out.weight
    balance = first._balance(fit, fooling)
    slopes = [
        torch.autograd.grad(part, weight, retain_graph=True)[0].norm()
        for part in (fit, balance * fooling)
    ]
    assert abs(slopes[1] / slopes[0] / first.adversarial - 1) < 0.01  # in 16 bits


def test_the_critic_joins_after_a_quarter_of_the_first_stage():
    torch.manual_seed(0)
    first = vqgan.Autoencoding(codes=32, channels=8, rate=1e-3)
    before = [p.clone() for p in first.critic.parameters()]
    assert "critic" not in first.step(images(4), 0.2)
    assert all(map(torch.equal, before, first.critic.parameters()))
    assert "critic" in first.step(images(4), 0.3)
    assert not any(map(torch.equal, before, first.critic.parameters()))


def test_the_rate_of_a_stage_falls_in_its_second_half():
    optimiser, rates = torch.optim.Adam([nn.Parameter(torch.ones(1))]), []
    for progress in (0.0, 0.5, 0.75, 1.0):
        vqgan.set_rate(optimiser, 0.1, progress)
        rates.append(optimiser.param_groups[0]["lr"])
    assert rates == [0.1, 0.1, 0.05, 0.0]


# The prior


def test_logits_depend_on_earlier_codes_only(prior):
    codes = torch.randint(16, (2, 10))
    logits = prior(codes)
    changed = codes.clone()
    changed[:, 6] = (codes[:, 6] + 1) % 16
    others = prior(changed)
    torch.testing.assert_close(logits[:, :6], others[:, :6])
    assert ((logits - others)[:, 6:].abs().amax((0, 2)) > 1e-4).all()


def test_remembered_keys_and_values_give_the_same_logits(prior):
    codes = torch.randint(16, (3, 9))
    pasts = [vqgan.Past() for _ in prior.layers]
    each = [prior(codes[:, i : i + 1], first=i, pasts=pasts) for i in range(9)]
    torch.testing.assert_close(torch.cat(each, 1), prior(codes), atol=1e-5, rtol=1e-4)


def test_the_loss_of_a_prior_that_knows_nothing_is_the_logarithm_of_its_codes(prior):
    nn.init.zeros_(prior.last[1].weight)
    nn.init.zeros_(prior.last[1].bias)
    loss = prior.loss(torch.randint(16, (2, vqgan.PLACES)))
    torch.testing.assert_close(loss, torch.tensor(16.0).log())


def test_the_prior_learns_a_sequence_and_draws_it():
    torch.manual_seed(0)
    prior = vqgan.Transformer(4, width=16, heads=2, depth=1)
    codes = (torch.arange(vqgan.PLACES) % 3).expand(4, -1)
    optimiser = torch.optim.Adam(prior.parameters(), 1e-2)
    for _ in range(60):
        optimiser.zero_grad()
        loss = prior.loss(codes)
        loss.backward()
        optimiser.step()
    assert loss < 0.05
    with torch.no_grad():
        drawn = prior.draw(50)
    assert (drawn == codes[0]).float().mean() > 0.9


# Both stages


def test_the_second_stage_leaves_the_first_alone():
    torch.manual_seed(0)
    recipe = vqgan.VqGan(codes=32)
    trained = {"first": recipe.first.optimisers[0], "second": recipe.optimisers[2]}

    def weights(stage):
        groups = trained[stage].param_groups
        return [p.clone() for group in groups for p in group["params"]]

    for progress, moving, still in ((0.1, "first", "second"), (0.9, "second", "first")):
        before = {stage: weights(stage) for stage in trained}
        recipe.step(images(4), progress)
        assert all(map(torch.equal, before[still], weights(still)))
        assert not all(map(torch.equal, before[moving], weights(moving)))


def test_what_is_shipped_needs_no_encoder():
    recipe = vqgan.VqGan(codes=32)
    shipped = set(recipe.generator.parameters())
    assert not shipped & set(recipe.first.encoder.parameters())
    codes = torch.zeros(2, vqgan.PLACES, dtype=torch.long)
    assert recipe.generator(codes).shape == (2, 3, 32, 32)
