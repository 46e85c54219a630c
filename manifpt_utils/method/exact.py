"""Artifacts with the true closest point of a known manifold, in the space itself."""

import warnings

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted
from torch.func import jvp, vmap

from .._support.cache import cached
from .._support.source import code_of
from .projection import Projector, displacement
from .spaces import RGB, Frequency, make_space

GRID = (25, 25, 13)  # views from which the search starts
BATCH = 128  # images whose closest views are sought together


class ExactManifold(Projector):
    """Artifacts with the true closest point of a known manifold.

    `DataManifold` estimates it from a sample of real images.  Here the coordinates of
    the view are optimised, so that the view is the closest in the space itself.

    Parameters
    ----------
    manifold : PhotoManifold
    space : str or transformer
        As for `DataManifold`: one of the four spaces, or with `search_space="rgb"` any.
    search_space : {None, "rgb"}
        "rgb": the closest view is sought among pixels, and then embedded.
    starts : int
        Views of a dense grid, the closest of it in the space, from which to descend.
    steps : int
        Descent steps from each, at most.

    Notes
    -----
    Real images are views rounded to 8 bits, and so is the closest one, which is why a
    real image has an artifact of zero.  A view that is closer by less than the rounding
    can be missed.
    """

    def __init__(self, manifold, space="rgb", *, search_space=None, starts=4, steps=12):
        self.manifold = manifold
        self.space = space
        self.search_space = search_space
        self.starts = starts
        self.steps = steps

    def fit(self, real, y=None):
        """Fit the embedding space on real images (n, h, w, 3).

        Raises
        ------
        ValueError
            If views cannot be sought in the space.
        """
        if self.search_space not in (None, "rgb"):
            raise ValueError(
                f"search_space must be None, for the space itself, or 'rgb', got "
                f"{self.search_space!r}."
            )
        self.space_ = make_space(self.space).fit(real)
        self.image_shape_ = getattr(self.space_, "image_shape_", None)
        self._n_features_out = self.space_.transform(real[:1]).shape[1]
        self.among_pixels_ = self.search_space == "rgb" or isinstance(self.space_, RGB)
        if not self.among_pixels_:
            self.embed_ = differentiable(self.space_)
            self.grid_ = self.manifold.grid(GRID)
            self.grid_features_ = self._embed_views(self.grid_)
        return self

    def project(self, images):
        """Closest views in the embedding space, as an `EstimatedProjection`."""
        check_is_fitted(self)
        x = self.space_.transform(images)
        views = self.manifold.views(self._coordinates(images, x))
        return displacement(x, self.space_.transform(views))

    def _coordinates(self, images, x):
        if self.among_pixels_:
            return self.manifold.project(images).coordinates
        return cached(
            lambda: np.concatenate([self._closest(part) for part in _parts(x)]),
            *("closest", self.grid_features_, x, self.starts, self.steps),
            code=code_of(ExactManifold),
        )

    def _closest(self, x):
        """Coordinates (b, 3) of the views closest to features (b, d)."""
        x = torch.from_numpy(np.array(x))
        near = torch.cdist(x, self.grid_features_).topk(self.starts, largest=False)
        c = self.grid_[near.indices]
        for kept, steps in self.stages:
            c = self._descended(x, c[:, :kept], steps)
        return c[:, 0]

    def _descended(self, x, c, steps):
        """Coordinates (b, s, 3) improved by some steps, the best ones first."""
        n, starts, _ = c.shape
        targets = x.repeat_interleave(starts, 0)
        c, loss = self.manifold.descend(
            lambda view, slopes, rows: self._compare(view, slopes, targets[rows]),
            c.reshape(-1, 3),
            steps=steps,
        )
        order = loss.reshape(n, starts).argsort(axis=1)
        return np.take_along_axis(c.reshape(n, starts, 3), order[:, :, None], axis=1)

    def _compare(self, view, slopes, targets):
        """Squared distances, half gradients and normal matrices of Gauss and Newton."""
        value, slopes = pushed_forward(self.embed_, view / 255, slopes / 255)
        residual = value - targets
        gradient = (slopes @ residual[:, :, None])[:, :, 0]
        return residual.square().sum(1), gradient, slopes @ slopes.mT

    def _embed_views(self, coordinates):
        with torch.inference_mode():
            parts = [
                self.embed_(torch.from_numpy(views).permute(0, 3, 1, 2) / 255)
                for part in _parts(coordinates)
                for views in [self.manifold.render(part)]
            ]
        return torch.cat(parts)


def _parts(rows):
    return (rows[i : i + BATCH] for i in range(0, len(rows), BATCH))


def differentiable(space):
    """A fitted space as a function of torch: (n, 3, h, w) in 0..1 to (n, d).

    Parameters
    ----------
    space : fitted RGB, Frequency, Supervised or SelfSupervised

    Raises
    ------
    ValueError
        If it is another transformer.

    Examples
    --------
    >>> space = RGB().fit(np.zeros((1, 2, 2, 3), np.uint8))
    >>> differentiable(space)(torch.ones(1, 3, 2, 2)).shape
    torch.Size([1, 12])
    """
    if isinstance(space, RGB):
        return _channel_last
    if isinstance(space, Frequency):
        return lambda x: _channel_last(_log_magnitudes(x, space.offset_))
    if hasattr(space, "network_"):
        return space.network_
    raise ValueError(
        f"views cannot be sought in {space!r}, which has no derivatives; give "
        "search_space='rgb'."
    )


def _channel_last(x):
    return x.permute(0, 2, 3, 1).flatten(1)


def _log_magnitudes(x, offset):
    spectra = torch.fft.fftshift(torch.fft.fft2(x), dim=(2, 3))
    return torch.log(spectra.abs() + offset)


def pushed_forward(embed, x, slopes):
    """Features of images, and their derivatives along the given changes.

    Parameters
    ----------
    embed : callable
        From `differentiable`.
    x : (n, 3, h, w) tensor
    slopes : (n, m, 3, h, w) tensor
        Changes of the images.

    Returns
    -------
    features : (n, d) tensor
    changes : (n, m, d) tensor
    """
    push = vmap(lambda t: jvp(embed, (x,), (t,)), in_dims=1, out_dims=(None, 1))
    with warnings.catch_warnings(), torch.no_grad():
        # The average pooling of a network is vectorised less well than it might be.
        warnings.filterwarnings("ignore", message="There is a performance drop")
        return push(slopes)
