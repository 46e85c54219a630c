"""Incremental learning: classes arrive in groups, and few old images are kept."""

import math
from dataclasses import dataclass, field

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted
from torch import nn

from ..method.classifiers import estimator
from ..method.networks import features_of
from .networks import FineTunedNetwork


@estimator
class IncrementalNetwork(FineTunedNetwork):
    r"""Incremental classifier with exemplars (Marra et al. 2019).

    The classes arrive in groups.  The network learns each group together with the
    exemplars of the earlier classes.  It has sigmoid outputs and the loss

    .. math:: \text{mean binary cross-entropy}(\sigma(o_c(x)), t_c(x)), \quad
        t_c = \begin{cases} \sigma(o'_c(x)) & c \text{ seen before} \\
        [y = c] & \text{otherwise} \end{cases}

    where o' is the network before this group (distillation).  An image belongs to the
    class whose exemplars have the nearest mean.

    Parameters
    ----------
    backbone, weights, width
        As for `FineTunedNetwork`.
    increments : int
        Number of groups; the seed decides their order.
    memory : int
        Total number of exemplars, equally many of each class.
    epochs, min_steps : int
        Passes over every group, and the least number of training steps.
    rate, batch_size, image_shape, device, precision, progress, seed
        As for `FineTunedNetwork`.

    Attributes
    ----------
    pretrained_ : bool
        Whether weights were given.
    order_ : list of lists of labels
        The groups.

    Raises
    ------
    ValueError
        If `memory` is so small that a class would have no exemplar.

    Notes
    -----
    arXiv 1910.01568; there is no official code.  The paper builds on XceptionNet and
    iCaRL (known to us second-hand).  We follow the code of iCaRL (srebuffi/iCaRL):
    exemplars are chosen by `herding`, and means are taken over images and their mirror
    images on the unit sphere.  This is the variant with a single classifier.  Closed
    sets in three groups, the memory, Adam with one cycle of the learning rate, and the
    small network are our choice.  Joint training of the same network,
    `FineTunedNetwork`, is an upper bound for its accuracy.

    Examples
    --------
    >>> x = np.random.default_rng(0).random((8, 8 * 8 * 3), np.float32)
    >>> head = IncrementalNetwork(width=4, epochs=1, min_steps=1)
    >>> head.fit(x, ["dcgan", "glow"] * 4).transform(x).shape
    (8, 32)
    """

    increments: int = 3
    memory: int = 200
    min_steps: int = 120
    patience: None = field(default=None, init=False)  # each group has one cycle

    def _trained(self, x, codes):
        n_classes = len(self.classes_)
        if self.increments < 1:
            raise ValueError(f"increments must be positive, got {self.increments!r}.")
        if self.memory < n_classes:
            raise ValueError(
                f"memory={self.memory} leaves some of {n_classes} classes without an "
                f"exemplar; set it to at least {n_classes}, better 20 times as much."
            )
        self._set_up(x)
        order = np.random.default_rng(self.seed).permutation(n_classes)
        groups = np.array_split(order, min(self.increments, n_classes))
        self.order_ = [self.classes_[group].tolist() for group in groups]
        net = _Increments(self._built(x), self.memory, self.batch_size, self.shape_)
        return net.fit(x, codes, groups, self._trainer)

    @property
    def predict_proba(self):
        """Not available, because nearest means give no probabilities."""
        raise AttributeError("IncrementalNetwork has no predict_proba; use predict.")

    def predict(self, x):
        """For each row, the label whose exemplars have the nearest mean."""
        check_is_fitted(self)
        return self.classes_[(self.transform(x) @ self.net_.means_.T).argmax(axis=1)]

    def transform(self, x):
        """Input of the last linear layer on the unit sphere: (n, k) float32 array."""
        check_is_fitted(self)
        return self.net_.embed(self._check(x))


@dataclass
class _Increments:
    """Takes the place of a skorch net: trains a network group by group."""

    module_: nn.Module
    memory: int
    batch_size: int
    shape: tuple

    def fit(self, x, codes, groups, trainer):
        """Learn all groups, then the means: x (n, d) float32, codes (n,) int."""
        self.exemplars_ = {}
        for group in groups:
            rows = [np.flatnonzero(np.isin(codes, group)), *self.exemplars_.values()]
            rows = np.concatenate(rows)
            net = trainer(self.module_, len(rows), nn.BCEWithLogitsLoss)
            net.fit(x[rows], self._targets(x[rows], codes[rows]))
            self._remember(x, codes, group)
        means = [self._mean(x[self.exemplars_[c]]) for c in sorted(self.exemplars_)]
        self.means_ = np.stack(means)
        return self

    def _targets(self, x, codes):
        """1 for the class of a row; for old classes, the earlier network's outputs."""
        n_outputs = self.module_.head.out_features
        targets = np.eye(n_outputs, dtype=np.float32)[codes]
        seen = list(self.exemplars_)
        if seen:
            targets[:, seen] = self._outputs(x)[:, seen]
        return targets

    def _remember(self, x, codes, group):
        n = math.ceil(self.memory / (len(self.exemplars_) + len(group)))
        # Herding orders by importance, so the first ones stay.
        self.exemplars_ = {c: rows[:n] for c, rows in self.exemplars_.items()}
        for c in group.tolist():
            rows = np.flatnonzero(codes == c)
            self.exemplars_[c] = rows[herding(self.embed(x[rows]), n)]

    @torch.no_grad()
    def _outputs(self, x):
        features = torch.from_numpy(features_of(self.module_, x, self.batch_size))
        head = self.module_.head
        return torch.sigmoid(head(features.to(head.weight.device))).cpu().numpy()

    def embed(self, x):
        return _unit(features_of(self.module_, x, self.batch_size))

    def _mean(self, x):
        mirrored = x.reshape(-1, *self.shape)[:, :, ::-1].reshape(x.shape)
        both = self.embed(x).mean(axis=0) + self.embed(mirrored.copy()).mean(axis=0)
        return _unit(both[None])[0]


def herding(features, n):
    """Choose rows one after the other so that their mean stays closest to that of all.

    Parameters
    ----------
    features : (m, d) array
        Each row has length one.
    n : int
        How many to choose; all if there are fewer.

    Returns
    -------
    (min(n, m),) int array
        In the order of the choice.

    Notes
    -----
    Rebuffi et al., iCaRL, CVPR 2017.  No row is chosen twice.

    Examples
    --------
    >>> herding(np.array([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]]), 2).tolist()
    [1, 0]
    """
    mean = features.mean(axis=0, dtype=np.float64)
    wanted, chosen = mean.copy(), []
    left = np.ones(len(features), bool)
    for _ in range(min(n, len(features))):
        best = int(np.where(left, features @ wanted, -np.inf).argmax())
        chosen.append(best)
        left[best] = False
        wanted += mean - features[best]
    return np.array(chosen, dtype=int)


def _unit(x):
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
