"""The known manifold: all square views of one photograph, reduced to 32 x 32.

A view is given by three numbers, its centre `(x, y)` and its `side`, in pixels of
the photograph.  The map from these numbers to the image is smooth (except where grey
levels are clipped at black and white), so the closest view to any image (eq. 1 of the
paper, on the true manifold rather than on a finite sample) can be found by
optimisation.  Photographs come with scikit-image and scikit-learn; nothing is
downloaded.
"""

import math
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from tqdm.auto import tqdm

from .._support.cache import cached, digest
from .._support.source import code_of
from .._support.suggestion import suggestion
from .descent import descend

SIZE = 32
LOBES = 3  # of the Lanczos filter, which is zero farther out
SHORT_SIDE = 160  # the photograph is first reduced to this, which makes views cheap
RELATIVE_SIDE = (0.5, 0.75)  # of the short side
SHORTEST, LONGEST = 8, 128  # numbers of images that are projected together


class Photograph(NamedTuple):
    """Where a photograph comes from and where the centres of its views may lie."""

    source: str
    x: tuple[float, float]
    y: tuple[float, float]


# Centres stay near the subject, so that every view shows it; in the short direction,
# the boxes are as wide as the largest view allows.
PHOTOGRAPHS = {
    "coffee": Photograph("skimage.data.coffee", (205, 325), (150, 250)),
    "flower": Photograph("sklearn.datasets:flower.jpg", (245, 365), (160.5, 266.5)),
    "astronaut": Photograph("skimage.data.astronaut", (192, 300), (192, 290)),
    "china": Photograph("sklearn.datasets:china.jpg", (165, 285), (160.5, 266.5)),
}


class Projection(NamedTuple):
    """The closest views, their coordinates, and their Euclidean distances."""

    x_star: np.ndarray  # (n, 32, 32, 3) float32, grey levels 0..255
    coordinates: np.ndarray  # (n, 3) float64: x, y, side in pixels of the photograph
    distance: np.ndarray  # (n,) float64, grey levels


def load_photograph(name):
    """Read one of the embedded photographs.

    Parameters
    ----------
    name : {"coffee", "flower", "astronaut", "china"}

    Returns
    -------
    (h, w, 3) uint8 array

    Raises
    ------
    ValueError
        If the name is unknown; the nearest known name is suggested.
    """
    _check_name(name)
    library, _, item = PHOTOGRAPHS[name].source.partition(":")
    if item:
        from sklearn.datasets import load_sample_image

        return np.array(load_sample_image(item))
    from skimage import data

    return np.array(getattr(data, library.rpartition(".")[2])())


def _check_name(name):
    if name not in PHOTOGRAPHS:
        raise ValueError(f"unknown photograph {name!r};{suggestion(name, PHOTOGRAPHS)}")


class PhotoManifold:
    """The smooth three-dimensional manifold of square views of one photograph.

    Parameters
    ----------
    photo : {"coffee", "flower", "astronaut", "china"}

    Attributes
    ----------
    photograph : (h, w, 3) uint8 array
    bounds : (3, 2) float array
        Lowest and highest x, y and side, in pixels of the photograph.

    Examples
    --------
    >>> manifold = PhotoManifold("coffee")
    >>> views = manifold.sample(4, seed=0)
    >>> views.shape, bool(manifold.project(views).distance.max() < 40)
    ((4, 32, 32, 3), True)
    """

    def __init__(self, photo="coffee"):
        _check_name(photo)
        self.photo = photo
        self.photograph = load_photograph(photo)
        height, width = self.photograph.shape[:2]
        self._pixel = min(height, width) / SHORT_SIDE
        side = np.array(RELATIVE_SIDE) * min(height, width)
        entry = PHOTOGRAPHS[photo]
        self.bounds = np.array([entry.x, entry.y, side], dtype=float)
        # Several embedding spaces ask for the projection of the same images.
        self._projected = {}

    def __repr__(self):
        return f"PhotoManifold({self.photo!r})"

    @cached_property
    def _reduced(self):
        """The photograph reduced to `SHORT_SIDE`, as a (h, 3, w) float32 tensor."""
        height, width = self.photograph.shape[:2]
        size = (round(width / self._pixel), round(height / self._pixel))
        small = Image.fromarray(self.photograph).resize(size, Image.Resampling.LANCZOS)
        return torch.from_numpy(np.asarray(small, "f4")).permute(0, 2, 1).contiguous()

    def coordinates(self, n, *, seed=0):
        """Draw coordinates of views: the centre uniformly, the side log-uniformly.

        Returns
        -------
        (n, 3) float64 array of x, y, side, in pixels of the photograph
        """
        rng = np.random.default_rng(seed)
        low, high = self.bounds.T
        uniform = rng.random((n, 3))
        c = low + uniform * (high - low)
        c[:, 2] = low[2] * (high[2] / low[2]) ** uniform[:, 2]
        return c

    def render(self, coordinates):
        """Draw the views of given coordinates, before rounding to 8 bits.

        Parameters
        ----------
        coordinates : (n, 3) array of x, y, side

        Returns
        -------
        (n, 32, 32, 3) float32 array, grey levels clipped to 0..255
        """
        c = torch.as_tensor(np.asarray(coordinates), dtype=torch.float32)
        if not len(c):
            return np.empty((0, SIZE, SIZE, 3), np.float32)
        parts = [_render(self._reduced, p / self._pixel) for p in c.split(256)]
        return torch.cat(parts).permute(0, 1, 3, 2).contiguous().numpy()

    def views(self, coordinates):
        """Images of the given coordinates, rounded to 8 bits: (n, 32, 32, 3) uint8."""
        c = np.asarray(coordinates)
        return cached(
            lambda: np.rint(self.render(c)).astype(np.uint8),
            *("views", self._content, c),
            code=code_of(PhotoManifold),
        )

    def sample(self, n, *, seed=0):
        """Draw independent views.

        Parameters
        ----------
        n : int
        seed : int
            Different seeds give disjoint samples.

        Returns
        -------
        (n, 32, 32, 3) uint8 array
        """
        return self.views(self.coordinates(n, seed=seed))

    def project(self, images, *, starts=3, steps=12, progress=False):
        """Find the closest view of each image, by optimisation over x, y and side.

        .. math:: x^* = \\arg\\min_{x \\in M} ||x_G - x||_2 \\quad \\text{(eq. 1)}

        The Levenberg-Marquardt method descends within the bounds from the best points
        of a dense search.

        Parameters
        ----------
        images : (n, 32, 32, 3) array, grey levels 0..255
        starts : int
            Points of the dense search from which to descend.
        steps : int
            Largest number of descent steps from each point.
        progress : bool
            Show a progress bar.

        Returns
        -------
        Projection
            Named tuple of `x_star`, `coordinates`, `distance`.

        Raises
        ------
        ValueError
            If the images are not (n, 32, 32, 3) or hold NaN, or if `starts` or
            `steps` is not positive.
        """
        x = as_images(images)
        if starts < 1 or steps < 1:
            raise ValueError(
                f"starts and steps must be at least 1, got {starts} and {steps}."
            )
        c = self._closest(x, starts, steps, progress) * self._pixel
        c = np.clip(c, self.bounds[:, 0], self.bounds[:, 1])
        x_star = self.render(c)
        residual = x.numpy().astype(float) - x_star.astype(float)
        return Projection(x_star, c, np.sqrt((residual**2).sum(axis=(1, 2, 3))))

    def grid(self, counts):
        """Coordinates of a regular grid of views, bounds included.

        Parameters
        ----------
        counts : (int, int, int)
            Values of x, y and side.

        Returns
        -------
        (n, 3) float64 array of x, y, side
        """
        return self._grid(counts).double().numpy() * self._pixel

    def descend(self, compare, coordinates, *, steps=12):
        """Improve views within the bounds, for any distance (Levenberg-Marquardt).

        Parameters
        ----------
        compare : callable
            Takes views (b, 3, 32, 32) in grey levels, their derivatives in the three
            coordinates (b, 3, 3, 32, 32), and the numbers of the problems (b,) to which
            they belong, all tensors.  Returns squared distances (b,), half their
            gradients (b, 3) and normal matrices (b, 3, 3).
        coordinates : (n, 3) array
            Where the problems start.
        steps : int
            The largest number of steps.

        Returns
        -------
        coordinates : (n, 3) float64 array
        loss : (n,) float32 array
            The squared distances there.
        """

        def evaluate(c, rows):
            view, jacobian = _render_with_jacobian(photo, c)
            view = view.view(-1, SIZE, 3, SIZE).transpose(1, 2)
            jacobian = jacobian.view(-1, 3, SIZE, 3, SIZE).transpose(2, 3)
            return compare(view.contiguous(), jacobian.contiguous(), rows)

        photo, box, offset = self._near()
        c = torch.as_tensor(np.asarray(coordinates) / self._pixel - offset)
        c, loss = descend(evaluate, c.float().clamp(*box), box, steps)
        c = (c.double().numpy() + offset) * self._pixel
        return np.clip(c, *self.bounds.T), loss.numpy()

    def _near(self):
        """The part of the photograph that views touch, the bounds in it, its corner."""
        photo, first = self._reach
        offset = np.array([first, 0.0, 0.0])
        return photo, self._box - torch.tensor(offset, dtype=torch.float32), offset

    def _closest(self, x, starts, steps, progress):
        """Coordinates (n, 3) in reduced pixels."""
        lengths = _batch_lengths([digest(image) for image in x.numpy()])
        batches = tqdm(x.split(lengths), desc="project", disable=not progress)
        found = [self._closest_once(batch, starts, steps) for batch in batches]
        return np.concatenate([np.empty((0, 3)), *found])

    def _closest_once(self, batch, starts, steps):
        """Coordinates (b, 3) of a batch; those of an earlier batch are looked up."""
        key = digest(batch, starts, steps)
        if key not in self._projected:
            self._projected[key] = cached(
                lambda: self._project_batch(batch, starts, steps).numpy(),
                *("project", self._content, self.bounds, key),
                code=code_of(PhotoManifold, descend),
            )
        return self._projected[key]

    @cached_property
    def _content(self):
        return digest(self.photograph)

    @property
    def _box(self):
        """Lowest and highest coordinates, in reduced pixels."""
        return torch.tensor(self.bounds / self._pixel, dtype=torch.float32).T

    @cached_property
    def _reach(self):
        """The columns of the reduced photograph that views touch, and the first one."""
        low, high = self._box.numpy()
        margin = high[2] * (0.5 + LOBES / SIZE) + 1  # half a view, and the filter
        first = max(0, math.floor(low[0] - margin))
        last = math.ceil(high[0] + margin)
        return self._reduced[:, :, first:last].contiguous(), first

    @cached_property
    def _search(self):
        """Coordinates (reduced pixels) and images of a dense grid of views."""
        grid = self._grid((15, 15, 9))
        views = torch.cat(
            [_render(self._reduced, p).flatten(1) for p in grid.split(256)]
        )
        return grid, views

    def _grid(self, counts):
        """Coordinates of a regular grid, in reduced pixels: (n, 3) tensor."""
        limits = zip(*self._box.tolist(), counts, strict=True)
        return torch.cartesian_prod(*(torch.linspace(a, b, k) for a, b, k in limits))

    def _project_batch(self, x, starts, steps):
        """Coordinates (b, 3) of the closest views, in reduced pixels."""
        grid, views = self._search
        x = x.permute(0, 1, 3, 2).flatten(1)
        near = torch.cdist(x, views).topk(starts, largest=False).indices
        photo, box, offset = self._near()
        offset = torch.tensor(offset)
        targets = x.repeat_interleave(starts, 0)

        def evaluate(c, rows):
            return _evaluate(photo, c, targets[rows])

        c = (grid[near] - offset.float()).flatten(0, 1)
        c, loss = descend(evaluate, c, box, steps)
        best = loss.view(-1, starts).argmin(1)
        return c.view(-1, starts, 3)[torch.arange(len(x)), best].double() + offset


def _batch_lengths(names):
    """Cut a sequence of images into batches, after images that their hashes select.

    Where some of the same images follow each other again, they are cut in the same
    places. So most of these batches are equal to earlier ones and need not be projected
    again.

    Parameters
    ----------
    names : sequence of str
        Hexadecimal hashes of the images.

    Returns
    -------
    list of int
    """
    lengths, length = [], 0
    for name in names:
        length += 1
        picked = name[-1] in "01"  # one image in eight
        if length == LONGEST or (picked and length >= SHORTEST):
            lengths.append(length)
            length = 0
    return lengths + [length] * (length > 0)


def as_images(images):
    """Images as a float32 tensor, or a ValueError if they cannot be views."""
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[1:] != (SIZE, SIZE, 3):
        raise ValueError(
            f"images must be (n, {SIZE}, {SIZE}, 3), got {images.shape}; views of a "
            "photograph exist at this size only."
        )
    x = torch.from_numpy(images.astype(np.float32))
    if not torch.isfinite(x).all():
        raise ValueError("images hold NaN or infinity; remove those images first.")
    return x


def _sinc_slope(u):
    """Derivative of torch.sinc."""
    safe = torch.where(u == 0, 1, u)
    return torch.where(
        u == 0, 0, (torch.cos(torch.pi * safe) - torch.sinc(safe)) / safe
    )


def _taps(centre, side):
    """Pixels under the filter of each output pixel, and their positions under it.

    Returns
    -------
    index : (b, 32, k) int64 tensor
    u : (b, 32, k) tensor
        Distance from the output pixel's middle, in output pixels.
    """
    scale = (side / SIZE)[:, None, None]
    middle = centre[:, None, None] + _offsets() * scale
    first = torch.ceil(middle - LOBES * scale - 0.5)
    count = math.ceil(2 * LOBES * float(scale.max())) + 1
    index = first + torch.arange(count)
    return index.long(), (index + 0.5 - middle) / scale


def _offsets():
    """Distances of output pixels from the centre, in output pixels: (32, 1)."""
    return torch.arange(SIZE)[:, None] + 0.5 - SIZE / 2


def _spread(values, index, n):
    """Put values (b, 32, k) at their pixels: (b, 32, n)."""
    dense = torch.zeros(*values.shape[:2], n, dtype=values.dtype)
    return dense.scatter_add_(2, index.clamp(0, n - 1), values)


def _weights(centre, side, n):
    """Resampling weights of one axis: (b, 32, n), rows summing to one."""
    index, u = _taps(centre, side)
    inside = (u.abs() < LOBES) & (index >= 0) & (index < n)
    w = torch.sinc(u) * torch.sinc(u / LOBES) * inside
    return _spread(w / w.sum(-1, keepdim=True), index, n)


def _weights_with_slopes(centre, side, n):
    """Weights and their derivatives in centre and side, each (b, 32, n)."""
    index, u = _taps(centre, side)
    inside = (u.abs() < LOBES) & (index >= 0) & (index < n)
    narrow, wide = torch.sinc(u), torch.sinc(u / LOBES)
    slope = _sinc_slope(u) * wide + narrow * _sinc_slope(u / LOBES) / LOBES
    w, slope = narrow * wide * inside, slope * inside
    total = w.sum(-1, keepdim=True)
    w = w / total

    def derivative(of_u):
        raw = slope * of_u / total
        return raw - w * raw.sum(-1, keepdim=True)

    side = side[:, None, None]
    parts = w, derivative(-SIZE / side), derivative(-(_offsets() + u) / side)
    return [_spread(p, index, n) for p in parts]


def _down(rows, photo):
    """Resample the rows of a (h, 3, w) photograph: (b, 96, w)."""
    h, channels, w = photo.shape
    return (rows.reshape(-1, h) @ photo.reshape(h, -1)).view(-1, SIZE * channels, w)


def _render(photo, c):
    """Views as (b, 32, 3, 32) tensors: row, channel, column."""
    h, channels, w = photo.shape
    tall = _down(_weights(c[:, 1], c[:, 2], h), photo)
    views = tall @ _weights(c[:, 0], c[:, 2], w).mT
    return views.view(-1, SIZE, channels, SIZE).clamp(0, 255)


def _render_with_jacobian(photo, c):
    """Views (b, 3072) and their derivatives in x, y, side (b, 3, 3072)."""
    h, _, w = photo.shape
    x, y, side = c.T
    columns, columns_x, columns_s = (m.mT for m in _weights_with_slopes(x, side, w))
    tall, tall_y, tall_s = (_down(r, photo) for r in _weights_with_slopes(y, side, h))
    view = (tall @ columns).flatten(1)
    slopes = [tall @ columns_x, tall_y @ columns, tall_s @ columns + tall @ columns_s]
    jacobian = torch.stack([s.flatten(1) for s in slopes], 1)
    moving = (view > 0) & (view < 255)  # a clipped pixel does not change
    return view.clamp(0, 255), jacobian * moving[:, None]


def _evaluate(photo, c, targets):
    """Squared distance (b,), half its gradient (b, 3), normal matrix (b, 3, 3)."""
    view, jacobian = _render_with_jacobian(photo, c)
    residual = view - targets
    gradient = (jacobian @ residual[:, :, None])[:, :, 0]
    return residual.square().sum(1), gradient, jacobian @ jacobian.mT
