"""A manifold of up to ten dimensions: views of a photograph that vary in more ways.

In `PhotoManifold`, the position and the side of a view vary.  Here, a view may also be
turned, stretched, sheared, tapered, made brighter, given another contrast curve (gamma)
and made more or less colourful.  The parameters are taken in the order of `PARAMETERS`,
whose first three are those of `PhotoManifold`; parameters that a manifold of m
dimensions does not use stay in the middle of their range.
"""

from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from scipy.ndimage import convolve1d
from torch.nn.functional import grid_sample
from tqdm.auto import tqdm

from .._support.cache import cached, digest
from .._support.source import code_of
from .descent import descend
from .photograph import (
    LOBES,
    PHOTOGRAPHS,
    RELATIVE_SIDE,
    SIZE,
    PhotoManifold,
    Projection,
    as_images,
)
from .validation import check_integer

SHORT_SIDE = 240  # the photograph is first reduced to this
BOX = 10.0  # descents move between -BOX and BOX in every coordinate
DIFFERENCE = 0.01  # step of a forward difference, in these units
SEARCHED = 8192  # views of the dense search
AT_ONCE = 512  # views that are rendered together


class Parameter(NamedTuple):
    """One way in which views vary, and the range of its values."""

    name: str
    low: float
    high: float


# After x, y and side, whose ranges depend on the photograph.
FURTHER = (
    Parameter("rotation", -10, 10),  # degrees
    Parameter("aspect", 0.9, 1.1),  # width over height
    Parameter("shear", -0.1, 0.1),  # shift in heights, from the middle to a side
    Parameter("gain", 0.85, 1.15),  # factor of all grey levels
    Parameter("gamma", 0.85, 1.15),  # exponent of relative grey levels
    Parameter("saturation", 0.7, 1.3),  # 0 would be grey
    Parameter("taper", -0.1, 0.1),  # excess of bottom width over top, relative
)
PARAMETERS = ("x", "y", "side", *(p.name for p in FURTHER))


class ViewManifold:
    """The manifold of views of one photograph with m parameters.

    Parameters
    ----------
    photo : {"coffee", "flower", "astronaut", "china"}
    m : int
        How many of `PARAMETERS` vary, counted from the first: 1 to 10.

    Attributes
    ----------
    bounds : (m, 2) float array
        Lowest and highest value of every parameter: x, y and side in pixels of the
        photograph.

    Examples
    --------
    >>> manifold = ViewManifold("coffee", m=4)
    >>> views = manifold.sample(4, seed=0)
    >>> views.shape, bool(manifold.project(views).distance.max() < 40)
    ((4, 32, 32, 3), True)
    """

    def __init__(self, photo="coffee", *, m=10):
        check_integer(m, "m", 1)
        if m > len(PARAMETERS):
            raise ValueError(
                f"m={m} parameters were asked for, but a view has {len(PARAMETERS)}: "
                f"{', '.join(PARAMETERS)}."
            )
        self.photograph = PhotoManifold(photo).photograph
        self.photo, self.m = photo, m
        side = np.array(RELATIVE_SIDE) * min(self.photograph.shape[:2])
        entry = PHOTOGRAPHS[photo]
        first = np.array([entry.x, entry.y, side], dtype=float)
        self._all_bounds = np.vstack([first, [p[1:] for p in FURTHER]])
        self.bounds = self._all_bounds[:m]

    def __repr__(self):
        return f"ViewManifold({self.photo!r}, m={self.m})"

    @property
    def parameters(self):
        """Names of the parameters that vary, in order."""
        return PARAMETERS[: self.m]

    def coordinates(self, n, *, seed=0):
        """Draw coordinates uniformly: (n, m) float64 array.

        The first columns are the same for all m.
        """
        uniform = np.random.default_rng(seed).random((n, len(PARAMETERS)))
        low, high = self.bounds.T
        return low + uniform[:, : self.m] * (high - low)

    def render(self, coordinates, *, bulge=0):
        """Draw the views of given coordinates, before rounding to 8 bits.

        Parameters
        ----------
        coordinates : (n, m) array
        bulge : float or (n,) array
            An error of shape that no parameter can make: the relative amount by which
            points half a side from the middle are moved away from it; 0 on the
            manifold.

        Returns
        -------
        (n, 32, 32, 3) float32 array, grey levels clipped to 0..255
        """
        c = self._relative(coordinates)
        bulge = torch.as_tensor(bulge, dtype=torch.float32).expand(len(c))
        parts = zip(c.split(AT_ONCE), bulge.split(AT_ONCE), strict=True)
        rendered = [self._render(*part) for part in parts]
        x = torch.cat([torch.empty(0, 3, SIZE, SIZE), *rendered])
        return x.permute(0, 2, 3, 1).contiguous().numpy()

    def views(self, coordinates):
        """Images of the given coordinates, rounded to 8 bits: (n, 32, 32, 3) uint8."""
        return np.rint(self.render(coordinates)).astype(np.uint8)

    def sample(self, n, *, seed=0):
        """Draw independent views: (n, 32, 32, 3) uint8 array.

        Different seeds give disjoint samples.
        """
        return self.views(self.coordinates(n, seed=seed))

    def project(self, images, *, near=None, starts=5, steps=40, progress=False):
        """Find the closest view of each image, by optimisation over all m parameters.

        The Levenberg-Marquardt method descends within the bounds, as in
        `PhotoManifold.project`, from the best points of a dense search and, if it is
        given, from `near`.

        Parameters
        ----------
        images : (n, 32, 32, 3) array, grey levels 0..255
        near : (n, m) array, optional
            Coordinates that are known to be good, for instance those of the view from
            which an image was made.
        starts : int
            Points of the search from which to descend; may be 0 if `near` is given.
        steps : int
            Largest number of descent steps from each point.
        progress : bool
            Show a progress bar.

        Returns
        -------
        Projection
            Named tuple of `x_star`, `coordinates` (n, m), `distance`.

        Raises
        ------
        ValueError
            If the images cannot be used, or there is nothing to start from.
        """
        x = as_images(images)
        if steps < 1 or starts < (near is None):
            raise ValueError(
                f"starts={starts} and steps={steps} give no descent; both must be at "
                "least 1, or give `near` and starts=0."
            )
        if near is not None and np.shape(near) != (len(x), self.m):
            raise ValueError(
                f"near must hold {self.m} coordinates of {len(x)} images, got an array "
                f"of {np.shape(near)}."
            )
        given = torch.empty(len(x), 0, self.m)
        near = given if near is None else self._relative(near)[:, None]
        batches = [*zip(x.split(64), near.split(64), strict=True)]
        bar = tqdm(batches, desc="project", disable=not progress)
        found = [self._projected(*batch, starts, steps) for batch in bar]
        c = self._absolute(np.concatenate([np.empty((0, self.m)), *found]))
        x_star = self.render(c)
        residual = x.numpy().astype(float) - x_star.astype(float)
        return Projection(x_star, c, np.sqrt((residual**2).sum(axis=(1, 2, 3))))

    def jacobian(self, coordinates):
        """Derivatives of the views in every parameter, each over half its range.

        Parameters
        ----------
        coordinates : (n, m) array

        Returns
        -------
        (n, m, 32, 32, 3) float32 array
        """
        c = self._relative(coordinates)
        parts = [self._with_slopes(part)[1] for part in c.split(64)]
        slopes = BOX * torch.cat([torch.empty(0, self.m, 3 * SIZE**2), *parts])
        slopes = slopes.view(-1, self.m, 3, SIZE, SIZE).permute(0, 1, 3, 4, 2)
        return slopes.contiguous().numpy()

    # --- coordinates between -BOX and BOX -----------------------------------------

    def _relative(self, coordinates):
        low, high = self.bounds.T
        c = np.asarray(coordinates, dtype=float).reshape(-1, self.m)
        relative = BOX * (2 * (c - low) / (high - low) - 1)
        return torch.as_tensor(relative, dtype=torch.float32)

    def _absolute(self, relative):
        low, high = self.bounds.T
        c = low + (np.asarray(relative, dtype=float) / BOX + 1) / 2 * (high - low)
        return np.clip(c, low, high)

    # --- projection ---------------------------------------------------------------

    @cached_property
    def _search(self):
        """Relative coordinates and images of views all over the manifold."""
        sobol = torch.quasirandom.SobolEngine(self.m, scramble=True, seed=0)
        c = BOX * (2 * sobol.draw(SEARCHED) - 1)
        views = cached(
            lambda: torch.cat([self._render(p) for p in c.split(AT_ONCE)]).numpy(),
            *("dense views", digest(self.photograph), c),
            code=code_of(ViewManifold),
        )
        return c, torch.from_numpy(views).flatten(1)

    def _projected(self, x, near, starts, steps):
        """Relative coordinates (b, m) of the closest views of a batch."""
        x = x.permute(0, 3, 1, 2).flatten(1)
        c = near
        if starts:
            found, views = self._search
            index = torch.cdist(x, views).topk(starts, largest=False).indices
            c = torch.cat([near, found[index]], 1)
        n = c.shape[1]
        targets = x.repeat_interleave(n, 0)

        def evaluate(c, rows):
            view, slopes = self._with_slopes(c)
            residual = view - targets[rows]
            gradient = (slopes @ residual[:, :, None])[:, :, 0]
            return residual.square().sum(1), gradient, slopes @ slopes.mT

        box = torch.full((self.m,), -BOX), torch.full((self.m,), BOX)
        c, loss = descend(evaluate, c.flatten(0, 1), box, steps)
        best = loss.view(-1, n).argmin(1)
        return c.view(-1, n, self.m)[torch.arange(len(x)), best].numpy()

    def _with_slopes(self, c):
        """Views (b, 3072), and their derivatives by forward differences (b, m, 3072).

        At the upper bound, the difference reaches beyond it, where views exist as well.
        """
        moved = c[:, None] + DIFFERENCE * torch.eye(self.m)
        both = torch.cat([c[:, None], moved], 1)
        views = [self._render(p) for p in both.flatten(0, 1).split(AT_ONCE)]
        views = torch.cat(views).view(len(c), self.m + 1, 3 * SIZE**2)
        return views[:, 0], (views[:, 1:] - views[:, :1]) / DIFFERENCE

    # --- rendering ----------------------------------------------------------------

    @cached_property
    def _layers(self):
        """The photograph, filtered for the smallest and for the largest side of a view.

        A (1, 6, h, w) float32 tensor.  For sides in between, a view is a mixture of
        both.
        """
        height, width = self.photograph.shape[:2]
        ratio = SHORT_SIDE / min(height, width)
        size = round(width * ratio), round(height * ratio)
        small = Image.fromarray(self.photograph).resize(size, Image.Resampling.LANCZOS)
        scales = self._all_bounds[2] * ratio / SIZE  # pixels per pixel of a view
        x = np.asarray(small, "f4")
        layers = np.concatenate([_lowpass(x, scale) for scale in scales], axis=2)
        return torch.from_numpy(layers).permute(2, 0, 1)[None].contiguous()

    def _render(self, c, bulge=None):
        """Views (b, 3, 32, 32) of relative coordinates (b, m), clipped to 0..255."""
        low, high = torch.tensor(self._all_bounds, dtype=torch.float32).T
        whole = torch.zeros(len(c), len(PARAMETERS))
        whole[:, : self.m] = c / BOX
        p = dict(zip(PARAMETERS, (low + (whole + 1) / 2 * (high - low)).T, strict=True))
        p["bulge"] = torch.zeros(len(c)) if bulge is None else bulge
        fine, coarse = self._sampled(_places(p)).chunk(2, 1)
        share = (whole[:, 2].clamp(-1, 1) + 1) / 2
        views = torch.lerp(fine, coarse, share[:, None, None, None])
        has_tones = self.m > PARAMETERS.index("gain")
        return _toned(views, p) if has_tones else views.clamp(0, 255)

    def _sampled(self, places):
        """Values of the layers at places (b, 32, 32, 2): (b, 6, 32, 32)."""
        height, width = self.photograph.shape[:2]
        grid = 2 * places / torch.tensor([width, height], dtype=torch.float32) - 1
        # Sampling one image at many rows is faster than copying it for every view.
        rows = grid.view(1, -1, SIZE, 2)
        found = grid_sample(
            self._layers, rows, padding_mode="reflection", align_corners=False
        )
        return found.view(6, -1, SIZE, SIZE).transpose(0, 1)


def _lowpass(x, scale):
    """Filter (h, w, 3) for sampling at every `scale` pixels, as Lanczos resizing."""
    reach = int(np.ceil(LOBES * scale))
    u = np.arange(-reach, reach + 1) / scale
    kernel = np.where(np.abs(u) < LOBES, np.sinc(u) * np.sinc(u / LOBES), 0)
    for axis in (0, 1):
        x = convolve1d(x, kernel / kernel.sum(), axis=axis, mode="mirror")
    return x


def _places(p):
    """Where the pixels of views lie in the photograph: (b, 32, 32, 2), x before y."""
    middle = (torch.arange(SIZE) + 0.5 - SIZE / 2) / SIZE
    p = {name: value[:, None, None] for name, value in p.items()}
    down, right = middle[:, None], middle[None, :]
    farther = 1 + p["bulge"] * 4 * (down**2 + right**2)
    down, right = farther * down, farther * right
    right = right * (1 + 2 * p["taper"] * down)
    right, down = right * p["aspect"].sqrt(), down / p["aspect"].sqrt()
    right = right + p["shear"] * down
    angle = torch.deg2rad(p["rotation"])
    x = torch.cos(angle) * right - torch.sin(angle) * down
    y = torch.sin(angle) * right + torch.cos(angle) * down
    return torch.stack([p["x"] + p["side"] * x, p["y"] + p["side"] * y], -1)


def _toned(views, p):
    """Saturation, gamma and gain, in this order, and clipping."""
    p = {name: value[:, None, None, None] for name, value in p.items()}
    grey = views.mean(1, keepdim=True)
    views = grey + p["saturation"] * (views - grey)
    relative = views.clamp(0.5, 255) / 255  # the slope of a power is infinite at 0
    return (255 * p["gain"] * relative ** p["gamma"]).clamp(0, 255)
