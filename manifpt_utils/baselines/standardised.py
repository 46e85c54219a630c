"""The last step of hand-crafted methods: a classifier of standardised features."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone
from sklearn.model_selection import StratifiedKFold, check_cv
from sklearn.preprocessing import StandardScaler
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data


class StandardisedClassifier(ClassifierMixin, TransformerMixin, BaseEstimator):
    """A scikit-learn classifier that also returns the features from which it decides.

    .. math:: z_j = (x_j - \\bar x_j) / s_j

    with mean and standard deviation of the training features.  A constant feature has z
    = 0.

    Parameters
    ----------
    classifier : scikit-learn classifier
        Cloned when fitted.
    standardise : bool
        Whether the classifier sees z, as `transform` returns it, or x itself.

    Attributes
    ----------
    classes_ : (c,) array
    classifier_ : the fitted classifier
    scaler_ : the fitted `StandardScaler`

    Examples
    --------
    >>> from sklearn.svm import LinearSVC
    >>> head = StandardisedClassifier(LinearSVC())
    >>> head = head.fit([[0.0], [2.0]], ["dcgan", "glow"])
    >>> head.predict([[3.0]]).item(), head.transform([[3.0]]).item()
    ('glow', 2.0)
    """

    def __init__(self, classifier, *, standardise=True):
        self.classifier = classifier
        self.standardise = standardise

    def fit(self, x, y):
        """Fit the scaling and the classifier.

        Parameters
        ----------
        x : (n, d) float array
        y : (n,) array of labels

        Returns
        -------
        StandardisedClassifier

        Raises
        ------
        ValueError
            If there is only one class, x is not finite, or a class has fewer images
            than the classifier has neighbours or folds.
        """
        vars(self).pop("classifier_", None)
        x, y = validate_data(self, x, y, dtype=np.float64)
        self._check_counts(y)
        self.scaler_ = StandardScaler().fit(x)
        self.classifier_ = clone(self.classifier).fit(self._input(x), y)
        self.classes_ = self.classifier_.classes_
        return self

    def _check_counts(self, y):
        names, counts = np.unique(y, return_counts=True)
        if len(names) < 2:
            raise ValueError(
                "attribution needs at least two classes, got one class: "
                f"{str(names[0])!r}."
            )
        for name, needed in self._needed(y).items():
            if counts.min() < needed:
                raise ValueError(
                    f"class {str(names[counts.argmin()])!r} has {counts.min()} images, "
                    f"fewer than {name}={needed} of the classifier; give more images, "
                    f"or set classifier__{name}."
                )

    def _needed(self, y):
        """How many images per class each parameter of the classifier requires."""
        known = self.classifier.get_params(deep=False)
        needed = {k: known[k] for k in ("n_neighbors",) if k in known}
        if "cv" in known:
            folds = check_cv(known["cv"], y, classifier=True)  # None means 5
            if isinstance(folds, StratifiedKFold):
                needed["cv"] = folds.n_splits
        return needed

    def __sklearn_is_fitted__(self):
        return hasattr(self, "classifier_")

    def _input(self, x):
        return self.scaler_.transform(x) if self.standardise else x

    def predict(self, x):
        """The label of each row: (n,) array."""
        check_is_fitted(self)
        return self.classifier_.predict(self._input(self._check(x)))

    @available_if(lambda self: hasattr(self.classifier_, "predict_proba"))
    def predict_proba(self, x):
        """Class probabilities, if the classifier has them: (n, c), as in `classes_`."""
        return self.classifier_.predict_proba(self._input(self._check(x)))

    def transform(self, x):
        """Standardised features, on which separability is measured: (n, d) float32."""
        check_is_fitted(self)
        return self.scaler_.transform(self._check(x)).astype(np.float32)

    def _check(self, x):
        return validate_data(self, x, reset=False, dtype=np.float64)
