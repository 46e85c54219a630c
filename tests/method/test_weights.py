"""Weights of other places: the usual wrappers come off, what does not fit is named."""

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from manifpt_utils.method.networks import headless_resnet50, resnet50
from manifpt_utils.method.weights import as_state, load_weights, read_weights


def network():
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))


STATE = {name: torch.rand_like(v.float()) for name, v in network().state_dict().items()}
WRAPPED = {
    "plain": STATE,
    "model": {"model": STATE, "total_steps": 1, "optimizer": {"lr": 0.1}},
    "state_dict": {"epoch": 3, "state_dict": STATE},
    "twice": {"model": {"state_dict": STATE, "step": 1}},
    "module": {"module." + k: v for k, v in STATE.items()},
    "lightning": {"state_dict": {"model." + k: v for k, v in STATE.items()}},
    "compiled": {"net": {"_orig_mod." + k: v for k, v in STATE.items()}},
    "with a head": STATE | {"fc.weight": torch.rand(7), "fc.bias": torch.rand(7)},
    "a wrapped head": {
        "module." + k: v for k, v in (STATE | {"fc.bias": torch.rand(7)}).items()
    },
}


@pytest.mark.parametrize("content", WRAPPED.values(), ids=WRAPPED)
def test_usual_wrappers_come_off(content, tmp_path):
    torch.save(content, tmp_path / "a.pth")
    found = network()
    load_weights(found, read_weights(tmp_path / "a.pth"), "a.pth")
    for name, value in found.state_dict().items():
        torch.testing.assert_close(value, STATE[name], check_dtype=False)


def test_half_precision_is_for_the_disk_and_counts_stay_counts(tmp_path):
    state = {k: v.half() for k, v in STATE.items()}
    state["1.num_batches_tracked"] = torch.tensor(7)
    save_file(state, tmp_path / "a.safetensors")
    with torch.device("meta"):
        found = network()
    load_weights(found, read_weights(str(tmp_path / "a.safetensors")), "a")
    types = {k: v.dtype for k, v in found.state_dict().items()}
    assert types.pop("1.num_batches_tracked") == torch.int64
    assert set(types.values()) == {torch.float32}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s | {"0.extra": torch.zeros(1)}, "Unexpected key.*0.extra"),
        (lambda s: {k: s[k] for k in list(s)[1:]}, "Missing key.*0.weight"),
        (lambda s: s | {"0.bias": torch.zeros(9)}, "size mismatch for 0.bias"),
        (lambda s: {"encoder." + k: s[k] for k in s}, "Missing key.*0.weight"),
    ],
)
def test_what_does_not_fit_is_named(change, message):
    with pytest.raises(ValueError, match=f"b.pth does not hold .*{message}.*give"):
        load_weights(network(), change(STATE), "b.pth", wanted="another one")


@pytest.mark.parametrize(
    "content",
    [{}, {"model": {}}, {"a": 1}, [torch.zeros(1)], None, {"model": [1]}, {"net": 3}],
)
def test_what_is_no_state_dict_is_refused(content):
    with pytest.raises(ValueError, match="c.pth holds no state dict of tensors"):
        as_state(content, "c.pth")


def test_the_keys_of_an_unknown_wrapper_are_shown():
    with pytest.raises(ValueError, match=r"no state dict of tensors, but \['ema', 't'"):
        as_state({"ema": STATE, "t": 1}, "d.pth")


@pytest.mark.parametrize("wrap", [lambda s: {"model": s, "total_steps": 1}, dict])
def test_a_resnet50_of_torchvision_is_read_whole(wrap, tmp_path):
    """Once, `strict=False` loaded nothing of a checkpoint in a wrapper."""
    state = {
        k: torch.full_like(v, 3) for k, v in headless_resnet50().state_dict().items()
    }
    torch.save(wrap({"module." + k: v for k, v in state.items()}), tmp_path / "w.pth")
    found = resnet50(tmp_path / "w.pth").state_dict()
    assert all((value == 3).all() for value in found.values())
