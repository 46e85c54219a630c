"""Projections on what the neighbours of a point span: a hull, or a tangent plane."""

import numpy as np
import torch


def affine_projection(x, neighbors, *, ridge=1e-3):
    """Project points on the affine hulls of their neighbours.

    .. math::

        x^* = \\bar x + \\sum_j w_j (x_j - \\bar x), \\quad
        (G + \\lambda I) w = c, \\quad G_{jl} = \\langle x_j - \\bar x, x_l - \\bar x
        \\rangle, \\; c_j = \\langle x_j - \\bar x, x - \\bar x \\rangle

    with :math:`\\lambda` = `ridge` times the mean of the diagonal of G.

    Parameters
    ----------
    x : (n, d) array
    neighbors : (n, k, d) array
    ridge : float

    Returns
    -------
    (n, d) array

    Examples
    --------
    >>> line = np.array([[[0.0, 0.0], [2.0, 0.0], [4.0, 0.0]]])
    >>> affine_projection(np.array([[1.0, 3.0]]), line, ridge=1e-9).round(6)
    array([[1., 0.]])
    """
    center, spread, gram = _patch(neighbors)
    # Copies of one image span nothing; the tiny constant keeps G invertible.
    scale = np.trace(gram, axis1=1, axis2=2) / gram.shape[1] * ridge + 1e-12
    gram = gram.astype(np.float64) + scale[:, None, None] * np.eye(gram.shape[1])
    right = np.einsum("nkd,nd->nk", spread, x - center)
    weights = np.linalg.solve(gram, right[..., None])[..., 0].astype(x.dtype)
    return center + np.einsum("nk,nkd->nd", weights, spread)


def tangent_projection(x, neighbors, m):
    """Project points on the m leading directions of their neighbours (local PCA).

    .. math::

        x^* = \\bar x + \\sum_{i \\le m} \\langle v_i, x - \\bar x \\rangle v_i

    with :math:`v_i` the principal directions of the neighbours about their mean.

    Parameters
    ----------
    x : (n, d) array
    neighbors : (n, k, d) array
    m : int
        Below k, because k points span k - 1 directions.

    Returns
    -------
    (n, d) array

    Examples
    --------
    >>> cross = np.array([[[-2.0, 0.0], [2.0, 0.0], [0.0, -1.0], [0.0, 1.0]]])
    >>> tangent_projection(np.array([[0.5, 0.5]]), cross, 1).round(6)
    array([[0.5, 0. ]])
    """
    center, spread, gram = _patch(neighbors)
    directions, scales = _leading(gram, m)
    along = np.einsum("nkd,nd->nk", spread, x - center)
    along = np.einsum("nki,nk->ni", directions, along) * scales
    weights = np.einsum("nki,ni->nk", directions, along).astype(x.dtype)
    return center + np.einsum("nk,nkd->nd", weights, spread)


def tangent_residuals(x, neighbors):
    """Distances from points to their tangent planes of 0, 1, ... k - 1 directions.

    Parameters
    ----------
    x : (n, d) array
    neighbors : (n, k, d) array

    Returns
    -------
    (n, k) float64 array
        Distances fall from left to right; column m holds the distance that remains
        after `tangent_projection` with m directions.
    """
    center, spread, gram = _patch(neighbors)
    directions, scales = _leading(gram, gram.shape[1] - 1)
    apart = (x - center).astype(np.float64)
    along = np.einsum("nkd,nd->nk", spread, apart)
    along = np.einsum("nki,nk->ni", directions, along) ** 2 * scales
    explained = np.cumsum(along, axis=1)
    whole = np.einsum("nd,nd->n", apart, apart)[:, None]
    left = np.concatenate([whole, whole - explained], axis=1)
    return np.sqrt(np.maximum(left, 0))  # rounding can go below zero


def knee(curve):
    """Where a falling curve is farthest below the straight line between its ends.

    Parameters
    ----------
    curve : (k,) array

    Returns
    -------
    int
        The first such place (Satopaa et al. 2011 call it the knee).

    Examples
    --------
    >>> knee(np.array([10.0, 4.0, 1.0, 0.9, 0.8]))
    2
    """
    line = np.linspace(curve[0], curve[-1], len(curve))
    return int(np.argmax(line - curve))


def _patch(neighbors):
    """Centre (n, d), spread about it (n, k, d), and its Gram matrix (n, k, k)."""
    center = neighbors.mean(axis=1)
    spread = neighbors - center[:, None]
    # The threads of NumPy's products spend most of their time waiting for each other.
    rows = torch.from_numpy(spread)
    return center, spread, torch.bmm(rows, rows.mT).numpy()


def _leading(gram, m):
    """Leading eigenvectors (n, k, m) and inverse eigenvalues (n, m), 0 if too small.

    Directions whose length single precision cannot tell from zero are left out.
    """
    values, vectors = np.linalg.eigh(gram.astype(np.float64))
    values, vectors = values[:, ::-1][:, :m], vectors[:, :, ::-1][:, :, :m]
    seen = values > 1e-6 * values[:, :1] + 1e-12
    return vectors, np.where(seen, 1 / np.where(seen, values, 1), 0)
