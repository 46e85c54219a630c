"""Whether the files of a folder give the classes away before any pixel is seen.

If the images of one class were compressed, resized or coloured in another way than
those of another class, the two can be told apart without any trace of a model.  The
facts that are compared here are those that the files themselves state.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.tree import DecisionTreeClassifier
from tqdm.auto import tqdm

from .._support.printable import printable
from .advice import advice
from .copies import describe_copies, digests
from .file_facts import Facts
from .image_files import read_image
from .near_copies import describe_near_copies, find_near_copies, signatures
from .normalised_folder import NormalisedFrom, read_record
from .readers import find

PER_CLASS = 100  # files of a class from which an accuracy is computed, at most
FOLDS, N_PERMUTATIONS = 5, 199
NAMED = 3  # facts named in a message
TRACES = (
    "Traces of the earlier storage can survive in the pixels of these images, and a "
    "method may find them."
)


class Audit(NamedTuple):
    """How the files of each class are stored, and whether that gives classes away.

    Attributes
    ----------
    files : DataFrame
        Indexed by class and file: the columns of `Facts`, and `digest`, which equal
        images share.
    differences : DataFrame
        One row per fact that differs between classes, one column per class; a cell
        holds the class's most frequent value with its share.
    accuracies : DataFrame
        Rows "all classes" and, of two models or more, "models alone".  `accuracy` is
        the share of files whose class a decision tree names correctly, by
        cross-validation and as the mean over classes, if it sees these facts and no
        pixel; `chance` is one over the number of classes; `null` is the highest
        accuracy among random permutations of the classes.
    near_copies : DataFrame
        One row per pair of images that differ in little except how they were saved, see
        `find_near_copies`.
    normalise : {None, "png", "size", "jpeg90"}
        How the images were treated after they were read, see the function `normalise`.
    before : NormalisedFrom, optional
        What the files were made from, if `manifpt audit` wrote them.
    """

    files: pd.DataFrame
    differences: pd.DataFrame
    accuracies: pd.DataFrame
    near_copies: pd.DataFrame
    normalise: str | None = None
    before: NormalisedFrom | None = None

    @property
    def copies(self):
        """The rows of `files` whose pixels are equal to those of another file."""
        return self.files[self.files["digest"].duplicated(keep=False)]

    @property
    def warnings(self):
        """list of str: Warnings that belong beside any result on these images."""
        found = [
            self._storage(),
            self._treatment(),
            describe_copies(self.files),
            describe_near_copies(self.near_copies),
        ]
        return [message for message in found if message]

    @property
    def telling(self):
        """Whether facts tell the classes apart better than any permuted classes."""
        return bool((self.accuracies["accuracy"] > self.accuracies["null"]).any())

    def _storage(self):
        if self.differences.empty:
            return ""
        rows = [f"{fact} ({_grouped(x)})" for fact, x in self.differences.iterrows()]
        more = f" and {len(rows) - NAMED} more" if len(rows) > NAMED else ""
        scores = "; ".join(
            f"{name}: accuracy {x.accuracy:.2f}, chance {x.chance:.2f}"
            for name, x in self.accuracies.iterrows()
        )
        return (
            f"files are not stored in one way in all classes: {', '.join(rows[:NAMED])}"
            f"{more}. A classifier that sees such facts and no pixel tells classes "
            f"apart ({scores}), so a result on these images may owe as much to their "
            "storage. Make the files of all classes anew, in one way, from their "
            f"originals.{self._help()}"
        )

    def _help(self):
        """Advice on a normalisation, if none was applied yet."""
        if self.normalise or not (found := advice(self.differences.index)):
            return ""
        return (
            f" If that cannot be done, load them with normalise={found.how!r}: "
            f"{found.sentence}"
        )

    def _treatment(self):
        """What a treatment leaves, if files differed before it."""
        if self.normalise and not self.differences.empty:
            return f"normalise={self.normalise!r} was applied. {TRACES}"
        if self.before and self.before.warnings:
            return (
                f"these files were written with normalise={self.before.normalise!r} "
                f"from others. Their audit said: {' '.join(self.before.warnings)} "
                f"{TRACES}"
            )
        return ""


def _grouped(row):
    """The values of a fact, each with the classes that have it."""
    groups = {value: list(x.index) for value, x in row.groupby(row)}
    return "; ".join(
        f"{value} in {_listed(x) if len(x) <= NAMED else f'{len(x)} classes'}"
        for value, x in groups.items()
    )


def _listed(names):
    return printable(", ".join(map(str, names)))


def audit(folder, *, models=None):
    """Compare how the files of all classes are stored.

    Parameters
    ----------
    folder : str or Path
        Image files in any layout that `load` reads; they may be of any size.
    models : sequence of str, optional
        Names of the models; all by default.

    Returns
    -------
    Audit

    Raises
    ------
    ValueError
        If no layout fits, the images are no files, or a file is not an 8-bit image.
    """
    source = files_of(folder, models)
    n = sum(map(len, source.items.values()))
    with tqdm(total=n, desc="read files", delay=5) as bar:
        rows = {k: [_row(x.place, bar) for x in y] for k, y in source.items.items()}
    facts = {name: [row[0] for row in x] for name, x in rows.items()}
    equal = {name: [row[1] for row in x] for name, x in rows.items()}
    found = np.concatenate([row[2] for x in rows.values() for row in x])
    table = file_table(source.items, facts, equal)
    return compare(table, found, before=read_record(source.folder))


def files_of(folder, models=None):
    """The image files of a folder or of a table, in whatever layout: a Source.

    Parameters
    ----------
    folder : str or Path
    models : sequence of str, optional

    Raises
    ------
    ValueError
        If no layout fits, or the images are no files.
    """
    root = Path(folder).expanduser()
    if not root.exists():
        raise ValueError(f"{root} is not a folder; give one with real/ and <model>/.")
    source = find(root, models)
    if not all(isinstance(x.place, Path) for y in source.items.values() for x in y):
        raise ValueError(
            f"the images of {root} are no files of their own; load({str(root)!r}) "
            "looks at how they are stored as it reads them, and keeps that in `audit`."
        )
    return source


def _row(path, bar):
    """Facts, digest and signature of a file."""
    pixels, facts = read_image(path)
    bar.update()
    return facts, digests(pixels[None])[0], signatures(pixels[None])


def file_table(paths, facts, found):
    """Gather what is known about every file in one table.

    Parameters
    ----------
    paths : dict of str to list of Item
        Files of each class.
    facts : dict of str to list of Facts
    found : dict of str to list of str
        Digests of the pixels.

    Returns
    -------
    DataFrame
        As in `Audit`.
    """
    names = [(name, path.name) for name, files in paths.items() for path in files]
    return pd.DataFrame(
        [row for name in paths for row in facts[name]],
        index=pd.MultiIndex.from_tuples(names, names=["class", "file"]),
        columns=Facts._fields,
    ).assign(digest=[x for name in paths for x in found[name]])


def compare(files, found=None, *, normalise=None, before=None):
    """Find the facts that differ between classes.

    A fact differs if two classes have one value each and these are not the same, or if
    it tells the classes apart better than any permuted classes.  A class of a single
    file is not compared.

    Parameters
    ----------
    files : DataFrame
        As in `Audit`.
    found : (n, 256) float32 array, optional
        Signatures of the images; without them, near copies are not sought.
    normalise, before
        As in `Audit`.

    Returns
    -------
    Audit
    """
    facts = _compared(files)
    models = facts[facts.index.get_level_values("class") != "real"]
    parts = {"all classes": facts, "models alone": models}
    scores = {
        k: _score(x) for k, x in parts.items() if x.index.unique("class").size > 1
    }
    named = _telling(facts, scores.get("all classes"))
    shown = {
        name: {fact: _typical(x[fact]) for fact in named}
        for name, x in facts.groupby(level="class")
    }
    differences = pd.DataFrame(shown, index=pd.Index(named, name="fact"))
    accuracies = pd.DataFrame.from_dict(scores, "index", columns=Score._fields)
    near = find_near_copies(files[:0] if found is None else files, found)
    return Audit(files, differences, accuracies, near, normalise, before)


def _compared(files):
    """A sample of files of every class with two or more, and the facts that vary."""
    order = np.random.default_rng(0).permutation(len(files))
    facts = files.iloc[order][list(Facts._fields)]
    by_class = facts.groupby(level="class")
    facts = facts[by_class["format"].transform("size") > 1]
    facts = facts.groupby(level="class").head(PER_CLASS)
    return facts.loc[:, facts.nunique(dropna=False) > 1]


class Score(NamedTuple):
    """How well facts tell classes apart."""

    accuracy: float
    chance: float
    null: float


def _score(facts):
    """The accuracy that facts give, and its null."""
    chance = 1 / facts.index.unique("class").size
    if not facts.size:
        return Score(chance, chance, chance)
    labels, predicted = _labels(facts), _predicted(facts)
    rng = np.random.default_rng(0)
    null = [_recall(rng.permutation(labels), predicted) for _ in range(N_PERMUTATIONS)]
    return Score(_recall(labels, predicted), chance, max(null))


def _recall(labels, predicted):
    """The share that is predicted correctly, as the mean over classes."""
    return float(
        (np.bincount(labels, labels == predicted) / np.bincount(labels)).mean()
    )


def _predicted(facts):
    """Classes as a decision tree predicts them from facts, by cross-validation."""
    labels = _labels(facts)
    folds = min(FOLDS, np.bincount(labels).min())
    return cross_val_predict(
        DecisionTreeClassifier(
            max_leaf_nodes=64, class_weight="balanced", random_state=0
        ),
        facts.apply(_encoded).to_numpy(),
        labels,
        cv=StratifiedKFold(folds, shuffle=True, random_state=0),
    )


def _labels(facts):
    """Numbers of the classes."""
    return facts.index.get_level_values("class").factorize(sort=True)[0]


def _encoded(values):
    """Numbers as they are, missing ones as -1; texts by their alphabetical order."""
    if is_numeric_dtype(values):
        return values.fillna(-1).astype(float)
    return values.astype("category").cat.codes


def _telling(facts, score):
    """Names of the facts that differ between classes."""
    named = [fact for fact in facts if _settled(facts[fact])]
    if score and score.accuracy > score.null:
        alone = {f: _recall(_labels(facts), _predicted(facts[[f]])) for f in facts}
        named = [f for f in facts if f in named or alone[f] > score.null]
        named = named or list(facts)  # only together do they tell the classes apart
    return named


def _settled(values):
    """Whether two classes have one value each, and these are not the same."""
    pairs = values.reset_index("class").drop_duplicates()
    alone = pairs[~pairs["class"].duplicated(keep=False)]
    return alone[values.name].nunique(dropna=False) > 1


def _typical(values):
    """What a class has: the range of its numbers, or its most frequent value."""
    shares = values.value_counts(normalize=True, dropna=False)
    if len(shares) > 1 and is_numeric_dtype(values) and not is_bool_dtype(values):
        return f"{values.min():g} to {values.max():g}"
    value, share = shares.index[0], shares.iloc[0]
    text = f"{value:g}" if isinstance(value, float) else str(value)
    text = "none" if text in ("", "nan") else text
    return text if share == 1 else f"{text} {share:.0%}"
