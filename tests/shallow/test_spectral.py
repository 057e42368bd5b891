"""Rotations and directions of known matrices."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

from softshare.shallow.spectral import directions, unit_trace_root, varimax


def test_varimax_undoes_a_rotation_of_sparse_loadings() -> None:
    random = np.random.default_rng(0)
    sparse = np.kron(np.eye(3), random.normal(size=(6, 1)) + 3)
    turn = np.linalg.qr(random.normal(size=(3, 3)))[0]
    rotation = varimax(sparse @ turn)
    assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    found = np.abs(sparse @ turn @ rotation)
    assert_allclose(np.sort(found, axis=1)[:, :2], 0, atol=1e-3)


def test_weights_of_zero_prefer_no_direction() -> None:
    assert_allclose(unit_trace_root(np.zeros((4, 2))), np.eye(4) / 4)
    assert directions(np.zeros((4, 2))).shape == (0, 2)


def test_directions_span_the_weights() -> None:
    random = np.random.default_rng(0)
    coef = random.normal(size=(6, 2)) @ random.normal(size=(2, 5))
    used = directions(coef)
    assert used.shape == (2, 5)
    assert_allclose(coef @ used.T @ used, coef)
