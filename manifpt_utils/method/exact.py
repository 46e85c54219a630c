"""Artifacts with the true closest point of a known manifold, in the space itself."""

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted

from .._support.cache import cached
from .._support.source import code_of
from ..images.descent import descend
from .device import use_device
from .projection import Projector, displacement
from .spaces import RGB, Frequency, ImageNet, make_space

GRID, COARSE_GRID = (33, 33, 17), (17, 17, 9)  # values of x, y and side
BATCH = 128  # images whose closest views are sought together
# Images of one pass through a space: with a thousand at once, the intermediate results
# of the network of ImageNet leave the caches of a CPU, which triples its time.
PASS = 32
STEP = 0.03  # step of a difference quotient: far above rounding, far below a pixel
STAGES = (
    (6, 3),
    (2, 10),
)  # how many of the best starts descend, and by how many steps at most


class ExactManifold(Projector):
    """Artifacts with the true closest point of a known manifold.

    `DataManifold` estimates the closest point from a sample of real images.  Here the
    coordinates of a view are optimised until the view is the closest one in the
    embedding space itself.

    Parameters
    ----------
    manifold : PhotoManifold
    space : str or transformer
        As for `DataManifold`: one of `SPACES`, or any space with `search_space="rgb"`.
    search_space : {None, "rgb"}
        None: the closest view is sought in `space`.  "rgb": it is sought by the
        distance between pixels, and then embedded.
    grid : (int, int, int), optional
        Numbers of values of x, y and side of the views from which the search starts: by
        default 33, 33 and 17, and about half as many in the slow space "imagenet".

    Notes
    -----
    A first search compares the image with a grid of views in the space; the closest
    ones are improved by the Levenberg-Marquardt method with the derivatives of the
    features. In log spectra the distance has many local minima.  Therefore, where a
    fitted real image is closer than what was found, the search also starts from that
    image, and no real image is closer than the result, up to rounding.  Real images are
    views rounded to 8 bits, and so is the closest view, which is why the artifact of a
    real image is nearly zero.
    """

    def __init__(self, manifold, space="rgb", *, search_space=None, grid=None):
        self.manifold = manifold
        self.space = space
        self.search_space = search_space
        self.grid = grid

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
        with use_device("cpu"):  # where views are rendered
            self.space_ = make_space(self.space).fit(real)
        self.image_shape_ = getattr(self.space_, "image_shape_", None)
        self._n_features_out = self.space_.transform(real[:1]).shape[1]
        self.among_pixels_ = self.search_space == "rgb" or isinstance(self.space_, RGB)
        if not self.among_pixels_:
            self.embed_ = differentiable(self.space_)
            is_slow = isinstance(self.space_, ImageNet)
            usual = COARSE_GRID if is_slow else GRID
            self.grid_ = self.manifold.grid(self.grid or usual)
            self.grid_features_ = self._embed_views(self.grid_)
            self.real_ = real
            self.real_features_ = torch.from_numpy(self.space_.transform(real))
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
            *("closest", self.grid_features_, self.real_features_, x, STAGES),
            code=code_of(ExactManifold, type(self.manifold), descend),
        )

    def _closest(self, x):
        """Coordinates (b, 3) of the views closest to features (b, d)."""
        x = torch.from_numpy(np.array(x))
        near = torch.cdist(x, self.grid_features_).topk(STAGES[0][0], largest=False)
        c = self.grid_[near.indices]
        for kept, steps in STAGES:
            c, loss = self._descended(x, c[:, :kept], steps)
        c, loss = c[:, 0], loss[:, 0]
        distance, index = torch.cdist(x, self.real_features_).min(dim=1)
        behind = np.flatnonzero(distance.numpy() ** 2 < loss)
        if len(behind):
            start = self.manifold.project(self.real_[index.numpy()[behind]]).coordinates
            again, lower = self._descended(x[behind], start[:, None], STAGES[-1][1])
            better = lower[:, 0] < loss[behind]
            c[behind[better]] = again[better, 0]
        return c

    def _descended(self, x, c, steps):
        """Coordinates (b, s, 3) improved, the best ones first, and their losses."""
        n, starts, _ = c.shape
        targets = x.repeat_interleave(starts, 0)
        c, loss = self.manifold.descend(
            lambda view, slopes, rows: self._compare(view, slopes, targets[rows]),
            c.reshape(-1, 3),
            steps=steps,
        )
        c, loss = c.reshape(n, starts, 3), loss.reshape(n, starts)
        order = loss.argsort(axis=1)
        c = np.take_along_axis(c, order[:, :, None], axis=1)
        return c, np.take_along_axis(loss, order, axis=1)

    def _compare(self, view, slopes, targets):
        """Squared distances, half gradients and normal matrices of Gauss and Newton."""
        value, slopes = pushed_forward(self.embed_, view / 255, slopes / 255)
        residual = value - targets
        gradient = (slopes @ residual[:, :, None])[:, :, 0]
        return residual.square().sum(1), gradient, slopes @ slopes.mT

    def _embed_views(self, coordinates):
        with torch.inference_mode():
            parts = [
                _embedded(
                    self.embed_, torch.from_numpy(views).permute(0, 3, 1, 2) / 255
                )
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
    space : fitted space of `SPACES`

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


def _embedded(embed, x):
    x = x.contiguous(memory_format=torch.channels_last)  # a quarter faster
    return torch.cat([embed(part) for part in x.split(PASS)])


def pushed_forward(embed, x, slopes, *, step=STEP):
    """Features of images, and their derivatives along the given changes.

    Derivatives are difference quotients, for which a network is run three more times;
    forward differentiation would take as long.

    Parameters
    ----------
    embed : callable
        From `differentiable`.
    x : (n, 3, h, w) tensor
    slopes : (n, m, 3, h, w) tensor
        Changes of the images.
    step : float
        Step of the difference quotient.

    Returns
    -------
    features : (n, d) tensor
    changes : (n, m, d) tensor
    """
    moved = torch.cat([x[:, None], x[:, None] + step * slopes], dim=1)
    with torch.inference_mode():
        found = _embedded(embed, moved.flatten(0, 1)).unflatten(0, moved.shape[:2])
    return found[:, 0], (found[:, 1:] - found[:, :1]) / step
