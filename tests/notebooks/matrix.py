"""Every notebook with every kind of value that its parameters allow.

The cases are made from the kinds that the parameters cells declare, in the smallest
sizes, so that a new parameter or a new chapter is tried without a word here.
"""

import ast
import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from papermill import inspect_notebook
from PIL import Image

from manifpt_utils._support.names import PHOTOGRAPHS
from manifpt_utils.images.loading import load
from manifpt_utils.notebook.parameters import declared_kinds
from manifpt_utils.notebook.validation import schema_of

ROOT = Path(__file__).parents[2]
NOTEBOOKS = tuple(path.stem for path in sorted((ROOT / "notebooks").glob("*.ipynb")))
FEW, OTHER_FEW = ["dcgan", "beta_vae"], ["dcgan", "glow", "ddpm"]  # of the core
ONE_BY_ONE = ("Spaces", "Photographs", "Estimator", "Metric")
NEEDS_FACTORS = ("05_layer_type_nmi",)
NEEDS_OTHER = ("04_cross_dataset",)
TENTHS = 10


@dataclass(frozen=True)
class Folder:
    """Images of one's own, made from those of GM-Photo."""

    n_models: int = 3
    factors: bool = False
    size: tuple = (32, 32)  # height and width
    known: bool = False  # models have the names that they have in GM-Photo
    n_images: int = 60  # per model
    n_real: int = 300


FOLDERS = {
    "three models": Folder(),
    "three models with factors": Folder(factors=True),
    "sixteen models": Folder(n_models=16),
    "non-square images": Folder(size=(28, 40)),
}
# What `size` brings to one size, and to that of GM-Photo.
OBLONG = Folder(factors=True, size=(28, 40))
KNOWN = Folder(size=(36, 48), known=True)


@dataclass(frozen=True)
class Case:
    """One run: a notebook, its parameters, and the folder that they mean.

    Where there is a folder, the parameters in `own` are set to it, those in `others`
    to a second one with models of the same names.
    """

    notebook: str
    name: str
    parameters: dict
    folder: Folder = None
    own: tuple = ()
    others: tuple = ()
    refusal: str = field(default="", kw_only=True)  # part of the error that is right

    def __str__(self):
        return f"{self.notebook}: {self.name}"


@dataclass(frozen=True)
class Parameter:
    """What a parameters cell says of one parameter."""

    kind: str
    schema: dict
    default: object

    def least(self):
        """The smallest value that is allowed, or the default of what has no size."""
        return _least(self.schema, self.default)

    def another(self):
        """A value other than the default, nearly as small."""
        return _another(self.schema, self.default)

    def words(self):
        """The words that may be chosen."""
        schema = self.schema.get("items", self.schema)
        return [word for word in schema.get("enum", []) if word != "all"]


def parameters(notebook):
    """The declared parameters of a notebook, by name."""
    shown = inspect_notebook(ROOT / "notebooks" / f"{notebook}.ipynb")
    texts = {name: found["inferred_type_name"] for name, found in shown.items()}
    defaults = {name: found["default"] for name, found in shown.items()}
    return {
        name: Parameter(texts[name], schema_of(kind), ast.literal_eval(defaults[name]))
        for name, kind in declared_kinds(texts).items()
    }


def _least(schema, default):
    kind = schema.get("type")  # none where a value may be missing
    if kind == "array":
        return _least_list(schema["items"])
    if kind == "integer":
        return schema["minimum"]
    if kind == "number":
        return schema.get("minimum", 0.01)
    return default


def _least_list(items):
    if "enum" in items:
        return items["enum"][:1]
    return [_least(items, None)] if items["type"] == "integer" else FEW


def _another(schema, default):
    words = [word for word in schema.get("enum", []) if word != default]
    if words:
        return words[0]
    kind = schema.get("type")  # none where a value may be missing
    if kind == "array":
        return _another_list(schema["items"])
    if kind == "integer":
        return schema["minimum"] + 1 + (schema["minimum"] + 1 == default)
    if kind == "number":
        return schema.get("minimum", 0) + 0.02
    return not default if kind == "boolean" else default


def _another_list(items):
    if "enum" in items:
        return [word for word in items["enum"] if word != "all"][-2:]
    if items["type"] == "integer":
        return [items["minimum"] + 3, items["minimum"] + 1]
    return OTHER_FEW


# --- cases ------------------------------------------------------------------------


def cases():
    """All cases of all notebooks, in a fixed order."""
    return [case for notebook in NOTEBOOKS for case in cases_of(notebook)]


def cases_of(notebook):
    """The cases of one notebook."""
    declared = parameters(notebook)
    least = {name: item.least() for name, item in declared.items()}
    # Lists of benchmarks stay as they are, but for one of them.
    least |= {n: p.default[:1] for n, p in declared.items() if p.kind == "Benchmarks"}
    another = {name: item.another() for name, item in declared.items()}
    another |= _benchmarks(declared, "flower", least)
    found = [
        Case(notebook, "everything at its minimum", least),
        Case(notebook, "nothing at its default", another),
    ]
    found += _one_word_at_a_time(notebook, declared, least)
    if "benchmark" in declared and "models" in declared:
        found += _all_models(notebook, declared, least)
    if "benchmark" in declared and declared["benchmark"].kind == "BenchmarkName":
        found += _own_folders(notebook, declared, least | {"models": ["all"]})
    return found


def _benchmarks(declared, photo, least):
    """Values of all parameters that name a benchmark."""
    elsewhere = "coffee" if photo == "flower" else "flower"
    known = {"benchmark": f"gm-photo/{photo}", "other": f"gm-photo/{elsewhere}"}
    known |= {n: [f"gm-photo/{elsewhere}"] for n in least if n == "others"}
    return {name: value for name, value in known.items() if name in declared}


def _one_word_at_a_time(notebook, declared, least):
    return [
        Case(notebook, f"{name} {word}", least | {name: _as(item.default, word)})
        for name, item in declared.items()
        if item.kind in ONE_BY_ONE
        for word in item.words()
        if least[name] != _as(item.default, word)
    ]


def _as(default, word):
    return [word] if isinstance(default, list) else word


def _all_models(notebook, declared, least):
    every = least | {"models": ["all"]}
    return [
        Case(notebook, f"all of {p}", every | _benchmarks(declared, p, least))
        for p in PHOTOGRAPHS
    ]


def _own_folders(notebook, declared, least):
    others = tuple(name for name in ("other", "others") if name in declared)
    found = []
    for name, folder in FOLDERS.items():
        lacks = notebook in NEEDS_FACTORS and not folder.factors
        refusal = "factors.csv" if lacks else ""
        more = (folder, ("benchmark",), others)
        found.append(Case(notebook, name, least, *more, refusal=refusal))
    if "size" in declared:
        found += _brought_to_a_size(notebook, least, others)
    if "other" in others:
        alone = (Folder(), ("benchmark",))
        name = "three models, and no other benchmark"
        refusal = "other" if notebook in NEEDS_OTHER else ""
        found.append(Case(notebook, name, least, *alone, refusal=refusal))
    return found


def _brought_to_a_size(notebook, least, others):
    """Folders whose images are brought to another size, and what stands beside them."""
    given = least | {"size": 24}
    found = [Case(notebook, "a folder and size", given, OBLONG, ("benchmark",), others)]
    if others:
        name, given = "a folder of the size of GM-Photo", least | {"size": 32}
        given |= {"normalise": "jpeg90"} if "normalise" in least else {}
        found.append(Case(notebook, name, given, KNOWN, ("benchmark",)))
    return found


def chosen(found, commit):
    """A tenth of the cases, another one for another commit.

    Returns
    -------
    tenth : int
    cases : list of Case
    """
    digest = hashlib.sha256(str(commit).removesuffix("-dirty").encode()).digest()
    tenth = digest[0] % TENTHS
    return tenth, found[tenth::TENTHS]


# --- folders ----------------------------------------------------------------------


def given_parameters(case, path):
    """The parameters of a case; its folders are made below `path`."""
    if case.folder is None:
        return case.parameters
    own = str(make_folder(path / "own", case.folder, "astronaut"))
    values = case.parameters | dict.fromkeys(case.own, own)
    if case.others:
        second = str(make_folder(path / "second", case.folder, "astronaut", skip=100))
        values |= {n: [second] if n == "others" else second for n in case.others}
    return values


def make_folder(root, folder, photo, *, skip=0):
    """Write a folder of images of some models, under names of the folder's own."""
    benchmark = load(f"gm-photo/{photo}", n_real=skip + folder.n_real)
    models = benchmark.models[: folder.n_models]
    names = {m if folder.known else f"maker{i}": m for i, m in enumerate(models, 1)}
    _write(root / "real", benchmark.real[skip:], folder.size)
    for name, model in names.items():
        shown = benchmark.images[model][skip : skip + folder.n_images]
        _write(root / name, shown, folder.size)
    if folder.factors:
        table = benchmark.factors.loc[list(names.values())].set_axis(list(names))
        table.to_csv(root / "factors.csv", index_label="model")
    return root


def _write(folder, images, size):
    folder.mkdir(parents=True)
    for number, image in enumerate(np.asarray(images)):
        small = Image.fromarray(image).resize(size[::-1])
        small.save(folder / f"{number:04d}.png")
