"""The fingerprint of a generative model: the set of artifacts of its samples.

A `Fingerprint` holds the artifacts that `DataManifold.transform` gives, knows their
size (eq. 4) and their distribution, and is kept in one safetensors file.
"""

import json
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from .._support.files import write_whole

FORMAT = "manifpt-fingerprint-1"


@dataclass(frozen=True, eq=False, repr=False)
class Fingerprint:
    """Artifacts of samples of one model.

    .. math::

        FPT_G = \\{a_M(x) \\mid x \\in S_G\\} \\qquad \\text{(eq. 3)}

    Parameters
    ----------
    artifacts : (n, d) array, or (n, h, w, c) array
        One artifact :math:`a = x_G - x^*` per row; images are flattened and their shape
        is kept.  Stored as float32.
    model : str
        The model whose samples these are.
    space : str
        The embedding space, for instance "rgb".
    benchmark : str
        Where the samples come from, for instance "gm-photo/coffee".
    estimator : str
        How the closest point was estimated, for instance "nearest".
    image_shape : tuple of int, optional
        (h, w, c) where artifacts are images.

    Raises
    ------
    ValueError
        If the artifacts are not two-dimensional (or images), empty or not finite, or
        `image_shape` does not fit them.

    Notes
    -----
    If every sample lies on the manifold, the fingerprint is {0} and its size 0
    (eqs. 5-8).

    Examples
    --------
    >>> fingerprint = Fingerprint([[3.0, 4.0], [0.0, 0.0]], model="glow", space="rgb")
    >>> fingerprint, fingerprint.size, fingerprint.mean
    (Fingerprint(glow, rgb, n=2, d=2), 5.0, array([1.5, 2. ]))
    """

    artifacts: np.ndarray
    _: KW_ONLY
    model: str
    space: str
    benchmark: str = ""
    estimator: str = ""
    image_shape: tuple | None = None

    def __post_init__(self):
        artifacts = np.asarray(self.artifacts, dtype=np.float32)
        shape = self.image_shape
        if artifacts.ndim == 4 and shape is None:
            shape = artifacts.shape[1:]
        if artifacts.ndim == 4:
            artifacts = artifacts.reshape(len(artifacts), -1)
        _check_artifacts(artifacts, shape)
        # The only place where this frozen dataclass is written to.
        object.__setattr__(self, "artifacts", artifacts)
        object.__setattr__(self, "image_shape", shape and tuple(map(int, shape)))

    def __len__(self):
        return len(self.artifacts)

    def __repr__(self):
        n, d = self.artifacts.shape
        where = ", ".join(
            filter(None, (self.model, self.benchmark, self.space, self.estimator))
        )
        return f"Fingerprint({where}, n={n}, d={d})"

    @cached_property
    def norms(self):
        """(n,) float64 array: Size of every artifact, in units of the features."""
        a = self.artifacts
        return np.sqrt(np.einsum("ij,ij->i", a, a, dtype=np.float64))

    @property
    def size(self):
        """The largest artifact, an estimate of d_FPT from below.

        .. math::

            d_{FPT}(Q; P) = \\sup_{x_G \\sim Q} \\{||a||_2 : a \\in FPT(Q; P)\\}
            \\qquad \\text{(eq. 4)}

        The maximum over a sample grows with the sample and depends on one image:
        compare it at equal n, together with quantiles of `norms`.
        """
        return float(self.norms.max())

    @cached_property
    def mean(self):
        """(d,) float64 array: The mean artifact."""
        return self.artifacts.mean(axis=0, dtype=np.float64)

    def as_images(self):
        """The artifacts as images: (n, h, w, c) float32 array.

        Raises
        ------
        ValueError
            If the space has no image shape.
        """
        if self.image_shape is None:
            raise ValueError(
                f"artifacts in the space {self.space!r} are plain vectors; only RGB "
                "and frequency artifacts are images (give image_shape)."
            )
        return self.artifacts.reshape(-1, *self.image_shape)

    def save(self, path):
        """Write one safetensors file; it appears under its name only when complete.

        Parameters
        ----------
        path : str or path
            An existing file is replaced.
        """
        path = Path(path)
        about = {
            name: getattr(self, name)
            for name in ("model", "space", "benchmark", "estimator", "image_shape")
        }
        metadata = {"format": FORMAT, "about": json.dumps(about)}
        content = save({"artifacts": np.ascontiguousarray(self.artifacts)}, metadata)
        write_whole(path, content)

    @classmethod
    def load(cls, path):
        """Read a file that `save` wrote.

        Parameters
        ----------
        path : str or path

        Returns
        -------
        Fingerprint

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If the file is truncated or is not a fingerprint.
        """
        try:
            with safe_open(path, framework="numpy") as file:
                metadata = file.metadata() or {}
                if metadata.get("format") != FORMAT:
                    raise ValueError(
                        f"{path} is not a fingerprint (format "
                        f"{metadata.get('format')!r}, expected {FORMAT!r})."
                    )
                artifacts = file.get_tensor("artifacts")
        except SafetensorError as error:
            raise ValueError(
                f"{path} is truncated or not safetensors ({error}); save it again."
            ) from error
        return cls(artifacts, **json.loads(metadata["about"]))


def _check_artifacts(artifacts, image_shape):
    if artifacts.ndim != 2 or not artifacts.size:
        raise ValueError(
            "artifacts must be (n, d) or (n, h, w, c) and not empty, got "
            f"{artifacts.shape}."
        )
    bad = np.flatnonzero(~np.isfinite(artifacts).all(axis=1))
    if len(bad):
        raise ValueError(
            f"artifacts hold NaN or infinity in {len(bad)} rows, the first is row "
            f"{bad[0]}; remove those samples first."
        )
    if image_shape is not None and np.prod(image_shape) != artifacts.shape[1]:
        raise ValueError(
            f"image_shape {tuple(image_shape)} does not fit artifacts of dimension "
            f"{artifacts.shape[1]}."
        )
