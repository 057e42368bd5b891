"""Features are what the training rows say: medians, means, deviations and categories."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from softshare.tasks.features import from_json
from softshare.tasks.vectors import Scaled, Vectors
from tests.tasks.fitted import fitted_on

TRAINING = np.array([[1.0, 5.0], [2.0, np.nan], [9.0, 7.0], [np.nan, 6.0]])
FRAME = pd.DataFrame(
    {
        "age": [20.0, 30.0, None, 50.0],
        "ward": ["b", "a", "b", None],
    }
)


def test_vectors_are_filled_with_the_median_and_standardised():
    fitted = Vectors.fit(TRAINING, ["a", "b"])
    features = fitted.transform(TRAINING).numpy()
    filled = np.where(np.isnan(TRAINING), np.nanmedian(TRAINING, axis=0), TRAINING)
    expected = (filled - filled.mean(axis=0)) / filled.std(axis=0)
    np.testing.assert_allclose(features[:, :2], expected, rtol=1e-6)
    np.testing.assert_array_equal(features[:, 2:], np.isnan(TRAINING))
    assert fitted.feature_names == ("a", "b", "a is missing", "b is missing")


def test_a_constant_column_is_centred_only():
    fitted = Vectors.fit(np.full((3, 1), 0.1), ["a"])
    assert fitted.std == (1.0,)
    assert fitted.transform(np.array([[2.1]])).item() == pytest.approx(2.0)


def test_texts_have_a_column_a_category_and_one_for_missing_values():
    columns, _ = fitted_on(FRAME)
    names = list(columns.feature_names)
    features = dict(zip(names, columns.transform(FRAME).T.tolist(), strict=True))
    assert len(names) == 5
    one_hot = {name: features[name] for name in names if name.startswith("ward")}
    assert sorted(one_hot.values()) == sorted([[0, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 1]])


def test_a_category_that_training_lacks_has_zeros_everywhere():
    columns, _ = fitted_on(FRAME)
    new = columns.transform(pd.DataFrame({"age": [30.0], "ward": ["never seen"]}))
    places = [i for i, name in enumerate(columns.feature_names) if name.startswith("ward")]
    assert new[0, places].tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(("fitted", "inputs"), [
    (Scaled(255.0), torch.arange(4)),
    (Vectors.fit(TRAINING, ["a", "b"]), TRAINING),
    (fitted_on(FRAME)[0], FRAME),
])  # fmt: skip
def test_what_was_fitted_comes_back_from_its_text(fitted, inputs):
    again = from_json(fitted.to_json())
    assert again == fitted
    torch.testing.assert_close(again.transform(inputs), fitted.transform(inputs))
