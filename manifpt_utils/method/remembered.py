"""Results for single images that are kept in memory, because they are asked for again.

An attributor learns from an image, is tested on it, and is compared with another one
that learned without some models: each of them wants the same artifact.
"""

from collections import OrderedDict

import numpy as np

from ..images.copies import digests


class Remembered:
    """The results for the images that were asked for last.

    Parameters
    ----------
    size : int
        Bytes that they take, at most.

    Examples
    --------
    >>> remembered = Remembered(10**6)
    >>> halves = lambda images: print(len(images), "new") or images / 2
    >>> images = np.arange(3.0)[:, None]
    >>> for _ in range(2):
    ...     remembered(halves, images, key="halves").tolist()
    3 new
    [[0.0], [0.5], [1.0]]
    [[0.0], [0.5], [1.0]]
    """

    def __init__(self, size):
        self.size = size
        self.forget()

    def __call__(self, compute, images, *, key):
        """What a function gives for images, computed for those that are new.

        Parameters
        ----------
        compute : callable
            From (m, ...) images to (m, ...) results, of each image by itself.
        images : (n, ...) array
        key : str
            Everything else that decides the results.

        Returns
        -------
        (n, ...) array
        """
        names = [(key, images.shape[1:], content) for content in digests(images)]
        found = {name: self._rows[name] for name in names if name in self._rows}
        new = {name: i for i, name in enumerate(names) if name not in found}
        if new:
            rows = compute(images[list(new.values())])
            found |= {name: row.copy() for name, row in zip(new, rows, strict=True)}
        self._keep(found)
        return np.stack([found[name] for name in names])

    def forget(self):
        """Free the memory of all results."""
        self._rows, self._bytes = OrderedDict(), 0

    def _keep(self, found):
        """Put the results last, and forget as many of the first as must go."""
        for name, row in found.items():
            self._bytes += 0 if name in self._rows else row.nbytes
            self._rows[name] = row
            self._rows.move_to_end(name)
        while self._bytes > self.size:
            self._bytes -= self._rows.popitem(last=False)[1].nbytes
