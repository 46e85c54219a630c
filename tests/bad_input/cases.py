"""The table of bad input: how it is made, what is called, and what is said of it."""

import errno
import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from click import ClickException, UsageError
from hostile_files import IMAGE, REFUSED, encoded, pixels, write_class
from pytest import MonkeyPatch

from manifpt_utils import Attributor, load, load_attributor
from manifpt_utils._support import files
from manifpt_utils.attribution import storage
from manifpt_utils.cli import main
from manifpt_utils.images import image_files, packed
from manifpt_utils.images.audit import audit
from manifpt_utils.images.factors import FACTORS
from manifpt_utils.images.readers import source
from manifpt_utils.study.compute import compute
from manifpt_utils.study.folder_study import FolderStudy, planned
from manifpt_utils.study.study import Store, Study


class World(NamedTuple):
    """What a case may touch: its folder, and a way to put something in its way."""

    place: Path  # holds all of it
    root: Path  # real/, a/ and b/, with six images each
    attributor: Path  # a saved one
    patch: MonkeyPatch

    def image(self, name="a/000.png"):
        return self.root / name


class Case(NamedTuple):
    """One bad input.

    `make(world)` prepares it, `act(world)` is called then, and what comes, of the kind
    `kind`, says what is wrong and what helps.  `changes` names what the case itself
    changes while it acts, from the place of the world.
    """

    name: str
    make: Callable
    act: Callable
    wrong: str
    remedy: str
    kind: type = ValueError
    changes: tuple = ()


def nothing(world):
    """The input is good; what is asked is not."""


# What is called


def reading(**options):
    return lambda world: load(world.root, **options)


def read(world):
    """Load, after the audit, which must say the same."""
    try:
        audit(world.root)
    except ValueError as error:
        told = str(error)
    try:
        return load(world.root)
    except ValueError as error:
        assert str(error) == told
        raise


def read_table(world):
    return load(world.root / "list.csv")


def read_parquet(world):
    return load(world.root / "x.parquet")


def manifpt(*words):
    """The console command, whose errors are one line each."""

    def act(world):
        main(list(map(str, words)), standalone_mode=False)

    return act


FIT = ("attribute", "fit", "mine")
PLAIN = ("--space", "rgb", "--estimate", "raw", "--classifier", "linear")
PREDICT = ("attribute", "predict", "attributor", "mine/a/000.png")
STUDY = ("study", "run", "--benchmark", "mine", "--kinds", "raw", "--spaces", "rgb")
STUDY += ("--earlier", "Durall20", "--n-train", "2", "--n-test", "1", "--seeds", "1")


def fitted(**options):
    options = {"space": "rgb", "estimate": "raw", "classifier": "linear"} | options
    return lambda world: Attributor(**options).fit(load(world.root))


def load_it(world):
    return load_attributor(world.attributor)


def answers(*paths):
    return lambda world: load_attributor(world.attributor).predict(*paths)


def error_of_row(name):
    """The error that one file has among answers about others."""

    def act(world):
        rows = load_attributor(world.attributor).predict(["mine/b", name])
        assert (rows["error"] == "").sum() == 6 and len(rows) == 7
        raise ValueError(rows["error"].iloc[-1])

    return act


# What is made


def written(name, content):
    def make(world):
        path = world.place / name
        path.write_bytes(content() if callable(content) else content)

    return make


def removed(*names):
    def make(world):
        for name in names:
            path = world.place / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    return make


def renamed(old, new):
    return lambda world: os.rename(world.place / old, os.fsencode(world.place) + new)


def emptied(name, *kept):
    def make(world):
        for path in (world.root / name).iterdir():
            path.unlink()
        for other in kept:
            (world.root / name / other).write_bytes(b"x")

    return make


def linked(name, target):
    return lambda world: (world.place / name).symlink_to(world.place / target)


def made(name):
    return lambda world: (world.place / name).mkdir(parents=True)


def pipe(name):
    return lambda world: os.mkfifo(world.place / name)


def resaved(name, size=None, **options):
    def make(world):
        image = IMAGE.resize(size) if size else IMAGE
        image.save(world.place / name, **options)

    return make


def copied(source, target):
    return lambda world: shutil.copytree(
        world.place / source, world.place / target, dirs_exist_ok=True
    )


def sparse(name):
    def make(world):
        with open(world.place / name, "wb") as file:
            file.write(encoded(IMAGE, "JPEG"))
            file.truncate(2**31)

    return make


def all_of(*steps):
    return lambda world: [step(world) for step in steps]


# What stands in the way


def full(*_, **__):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def forbidden(path, *_, **__):
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))


def failing(owner, name, how):
    """A function that fails; as the superuser may do everything, it stands for that."""
    return lambda world: world.patch.setattr(owner, name, how)


def no_permission(world):
    world.patch.setattr(files.os, "access", lambda _, mode: not mode & os.W_OK)


def small_disk(world):
    usage = shutil.disk_usage(world.place)._replace(free=10)
    world.patch.setattr(packed.shutil, "disk_usage", lambda _: usage)
    world.patch.setattr(packed, "LARGE", 1)
    world.patch.setenv(packed.VARIABLE, str(world.place / "mine" / ".cache"))


def meanwhile(name, act):
    """Something acts on a file as soon as its header was read."""

    def make(world):
        check = image_files._check_header

        def late(image, path):
            check(image, path)
            if Path(path) == world.image(name):
                act(world)

        world.patch.setattr(image_files, "_check_header", late)

    return make


def afterwards(act):
    """Something acts once the files of a class were read."""

    def make(world):
        def late(*arguments, **options):
            found = image_files.read_images(*arguments, **options)
            act(world)
            return found

        world.patch.setattr(source, "read_images", late)

    return make


# Files of images, in a class of the folder

FILES = [
    Case(
        name, written(f"mine/a/{name}", content), read, f"mine/a/{name} .*({wrong})", x
    )
    for name, (content, wrong, x) in REFUSED.items()
]
FILES += [
    Case(
        "a file of another size",
        resaved("mine/a/wide.png", (9, 8)),
        reading(),
        "a/wide.png is 9 x 8 pixels, but .*real/000.png is 8 x 8",
        "size=8, to bring all images to it",
    ),
    Case(
        "a file of two gigabytes",
        sparse("mine/a/huge.jpg"),
        read,
        "a/huge.jpg takes 2,147,483,648 bytes",
        "reduce it or remove the file",
    ),
    Case(
        "no permission to read a file",
        failing(image_files.Image, "open", forbidden),
        read,
        "no permission to read .*000.png",
        r"chmod u\+r",
    ),
    Case(
        "a file that vanishes while it is read",
        meanwhile("a/000.png", lambda w: w.image().unlink(missing_ok=True)),
        reading(),
        "a/000.png vanished while it was read",
        "wait until nothing writes to the folder, then start again",
        changes=("mine/a/000.png",),
    ),
    Case(
        "a file that is written anew while it is read",
        meanwhile("a/000.png", lambda w: w.image().write_bytes(encoded(IMAGE, "PNG"))),
        reading(),
        "a/000.png changed while it was read",
        "wait until nothing writes to the folder, then start again",
        changes=("mine/a/000.png",),
    ),
    Case(
        "a file that is replaced while it is read",
        meanwhile(
            "a/000.png",
            lambda w: os.replace(shutil.copy(w.image(), w.place / "x"), w.image()),
        ),
        reading(),
        "a/000.png changed while it was read",
        "wait until nothing writes to the folder, then start again",
    ),
    Case(
        "a file that vanishes after it was listed",
        meanwhile("a/000.png", lambda w: w.image("b/004.png").unlink(missing_ok=True)),
        reading(),
        "b/004.png vanished while it was read",
        "wait until nothing writes to the folder, then start again",
        changes=("mine/b/004.png",),
    ),
    Case(
        "a file that appears while its folder is read",
        afterwards(lambda w: shutil.copy(w.image(), w.image("a/999.png"))),
        reading(),
        "a/999.png changed, appeared or vanished while its folder was read",
        "wait until nothing writes to the folder",
        changes=("mine/a/999.png",),
    ),
    Case(
        "a class that appears while its folder is read",
        afterwards(
            lambda w: shutil.copytree(w.root / "a", w.root / "c", dirs_exist_ok=True)
        ),
        reading(),
        "c/000.png changed, appeared or vanished while its folder was read",
        "wait until nothing writes to the folder",
        changes=("mine/c",),
    ),
]

# Folders

FOLDERS = [
    Case(*row[:2], read, *row[2:])
    for row in [
        (
            "a link out of the folder",
            all_of(resaved("secret.png"), linked("mine/a/link.png", "secret.png")),
            "a/link.png is a symbolic link out of its folder, to .*secret.png",
            "put a copy in its place",
        ),
        (
            "a link to another class",
            linked("mine/a/link.png", "mine/b/000.png"),
            "a/link.png is a symbolic link out of its folder",
            "put a copy in its place",
        ),
        (
            "a link to itself",
            linked("mine/a/link.png", "mine/a/link.png"),
            "a/link.png is a symbolic link to nothing",
            "remove it from the folder",
        ),
        (
            "a folder in a class",
            made("mine/a/more"),
            "a/more is a folder",
            "put its images directly into .*mine/a",
        ),
        (
            "a pipe in a class",
            pipe("mine/a/pipe.png"),
            "a/pipe.png is not a file",
            "remove it",
        ),
        ("an empty class", emptied("a"), "a holds no images", "fill it or remove"),
        (
            "a class of hidden files",
            emptied("a", ".hidden.png", "Thumbs.db"),
            "a holds no images",
            "fill it or remove the folder",
        ),
        ("no real image", emptied("real"), "real holds no images", "fill it"),
        (
            "a file whose name is no text",
            renamed("mine/a/000.png", b"/mine/a/caf\xe9.png"),
            r"a/caf\\udce9.png is not text in UTF-8",
            "rename it",
        ),
        (
            "a class whose name is no text",
            renamed("mine/a", b"/mine/caf\xe9"),
            r"mine/caf\\udce9 is not text in UTF-8",
            "rename it",
        ),
        (
            "no model",
            removed("mine/a", "mine/b"),
            "mine holds no sub-folder besides real/",
            "add one with the images of a model",
        ),
        (
            "no real/",
            removed("mine/real"),
            "mine has no sub-folder real/",
            r"What is read:\n  - real/ and <model>/",
        ),
        (
            "real/ with another name",
            renamed("mine/real", b"/mine/Reals"),
            "mine has no sub-folder real/",
            "Rename 'Reals'?",
        ),
        (
            "two layouts in one folder",
            all_of(copied("mine", "mine/train"), copied("mine/a", "mine/test/real")),
            "fits more than one layout: real/ and <model>/; or train/ and test/",
            "Move what does not belong to the right one out of the folder",
        ),
        (
            "a record of a copy that is cut",
            written("mine/normalised.json", b'{"normalise": "png"'),
            "normalised.json is damaged",
            "write the folder again by manifpt audit, or remove the file",
        ),
        (
            "a record of a copy that lies",
            written("mine/normalised.json", b'{"normalise": "png", "warnings": [7]}'),
            "normalised.json is damaged .*text is missing",
            "write the folder again by manifpt audit, or remove the file",
        ),
    ]
]
FOLDERS += [
    Case(
        "no folder",
        removed("mine"),
        reading(),
        "no benchmark and no folder .*mine",
        "Or give the path of a folder with real/ and <model>/",
    ),
    Case(
        "a name too long for any file",
        nothing,
        lambda w: load("x" * 5_000),
        "no benchmark and no folder 'xxx",
        "Or give the path of a folder",
    ),
    Case(
        "no permission to read a folder",
        failing(Path, "iterdir", forbidden),
        reading(),
        "no permission to read the folder .*mine",
        r"chmod u\+rx",
    ),
    Case(
        "a class that copies another",
        all_of(emptied("b"), copied("mine/a", "mine/b")),
        reading(),
        "all images of '[ab]' are in '[ab]' as well",
        "remove|leave",
    ),
    Case(
        "real images that are all one",
        all_of(
            emptied("real"),
            *[resaved(f"mine/real/{i}.png") for i in range(5)],
        ),
        reading(),
        "mine/real holds 5 image.s., all the same",
        "at least two different ones are needed",
    ),
    Case(
        "copies in a class",
        lambda w: shutil.copy(w.image(), w.image("a/copy.png")),
        reading(),
        r"copies of another one: .*a/000.png = a/copy.png",
        "remove all but one of each",
        UserWarning,
    ),
    Case(
        "classes that are stored in two ways",
        lambda w: (
            [
                p.unlink() or IMAGE.save(w.image(f"a/{p.stem}{i}.jpg"), quality=90 - i)
                for i, p in enumerate(sorted((w.root / "a").iterdir()))
            ]
            and [
                p.unlink() or resaved(f"mine/a/{p.name}", (8 + i, 8), quality=90)(w)
                for i, p in enumerate(sorted((w.root / "a").iterdir()))
            ]
        ),
        reading(size=8),
        "files are not stored in one way in all classes",
        "Make the files of all classes anew, in one way, from their originals",
        UserWarning,
    ),
]

# Options

OPTIONS = [
    Case(name, nothing, reading(**options), wrong, remedy)
    for name, options, wrong, remedy in [
        ("a misspelt model", {"models": ["aa"]}, "unknown model 'aa'", "mean 'a'"),
        ("no model asked", {"models": []}, "models= is empty", "leave it out, or name"),
        ("no image asked", {"per_class": 0}, "per_class .*got 0", "of at least 1"),
        ("more real images than there are", {"n_real": 9}, "n_real=9", "ask for 1 to"),
        ("a size of nothing", {"size": 0}, "got 0", "one or two positive integers"),
        ("a size as text", {"size": "8"}, "got '8'", "one or two positive integers"),
        ("a size of three", {"size": (8, 8, 3)}, "size must", "one or two positive"),
        ("a size beyond memory", {"size": 10**6}, "size=1000000", "give a smaller one"),
        (
            "a misspelt treatment",
            {"normalise": "jpg90"},
            "unknown .*normalise='jpg90'|normalise='jpg90'",
            "Known: jpeg90, png, size|did you mean 'jpeg90'",
        ),
        (
            "a seed for a folder",
            {"training_seed": 1},
            "training_seed=1 is for gm-photo only",
            "leave it at 0",
        ),
        (
            "generated= for a folder",
            {"generated": "x"},
            "generated='x' is not for",
            "leave it out",
        ),
    ]
]
OPTIONS += [
    Case(
        "images beyond memory",
        failing(image_files.np, "empty", lambda *_: (_ for _ in ()).throw(MemoryError)),
        reading(),
        "6 images of 8 x 8 pixels do not fit into memory",
        "give a smaller size, or per_class",
    ),
    Case(
        "a number in place of a name",
        nothing,
        lambda w: load(7),
        "name must be that of a benchmark or a folder, got 7",
        "for instance 'gm-photo/coffee'",
    ),
    Case(
        "a misspelt benchmark",
        nothing,
        lambda w: load("gm-photo/cofee"),
        "no benchmark and no folder 'gm-photo/cofee'",
        "did you mean 'gm-photo/coffee'",
    ),
    Case(
        "a data set that is not known",
        nothing,
        lambda w: load("torchvision:Fashion:mine"),
        "unknown data set 'Fashion'",
        "did you mean 'FashionMNIST'",
    ),
]

# Tables of files

LISTED = [f"{c}/00{i}.png,{c}" for c in ("real", "a", "b") for i in range(6)]
OUT, LIST = "put the images beside the table", "A list of images is a table"


def table_of(*more, heading="file,label", rows=LISTED):
    text = "\n".join([heading, *rows, *more])
    return written("mine/list.csv", text.encode())


def with_split(**sides):
    """Rows with a split, every second one for the test, but for a class."""
    rows = [
        f"{row},{sides.get(row.split('/')[0], ('train', 'test')[i % 2])}"
        for i, row in enumerate(LISTED)
    ]
    return table_of(heading="file,label,split", rows=rows)


TABLES = [
    Case(f"a table: {name}", table_of(row), read_table, wrong, remedy)
    for name, row, wrong, remedy in [
        ("the root", "/etc/passwd,a", "'/etc/passwd', which leads out", OUT),
        ("upwards", "../x.png,a", "'../x.png', which leads out", OUT),
        ("down and up", "a/../../x.png,a", "leads out of its folder", OUT),
        ("up in Windows", "..\\x.png,a", "leads out of its folder", OUT),
        ("a drive", "C:\\x.png,a", "leads out of its folder", OUT),
        ("a share", "\\\\host\\share\\x.png,a", "leads out of its folder", OUT),
        ("a home", "~/x.png,a", "leads out of its folder", OUT),
        (
            "a lost file",
            "a/no.png,a",
            "'a/no.png', but there is no",
            "correct the path",
        ),
        ("a folder", "a,a", "'a', but there is no such file", "correct the path"),
        ("an address", "http://a/x.png,a", "no such file", "correct the path"),
        ("a long name", f"{'x' * 3000},a", "'xxx.*no such file", "correct the path"),
        ("twice", "a/000.png,a", "lists 'a/000.png' twice", "keep one row"),
        ("twice, otherwise", "a/./000.png,a", "'a/000.png' twice", "keep one row"),
        ("two labels", "a/000.png,b", r"with the labels \['a', 'b'\]", "keep one row"),
        ("no label", "a/000.png,", "no label in the row of 'a/000", "fill it, or"),
        ("no file", ",a", "no file in the row of 'a'", "fill it, or remove the row"),
        ("a long row", "a/1.png,a,b", "3 values under 2 columns", "belongs in quotes"),
    ]
]
TABLES += [
    Case(
        "a table without labels",
        table_of(heading="file,name"),
        read_table,
        r"lacks the columns \['label'\]",
        LIST,
    ),
    Case(
        "a table with two columns of files",
        table_of(heading="file,path", rows=["a/000.png,a/000.png"]),
        read_table,
        "list.csv lacks|'file' twice",
        "keep one|A list of images",
    ),
    Case("an empty table", written("mine/list.csv", b""), read_table, "lacks", LIST),
    Case("no rows", table_of(rows=[]), read_table, "a heading and no rows", LIST),
    Case(
        "a table without real images",
        table_of(rows=LISTED[6:]),
        read_table,
        "no row with the label 'real'",
        LIST,
    ),
    Case(
        "real images with a capital",
        table_of(rows=[x.replace(",real", ",Real") for x in LISTED]),
        read_table,
        "no row with the label 'real'",
        "Rename 'Real'",
    ),
    Case(
        "a table of real images",
        table_of(rows=LISTED[:6]),
        read_table,
        "real images only",
        "add those of a model",
    ),
    Case(
        "a table with a link out of its folder",
        all_of(
            resaved("secret.png"),
            linked("mine/a/link.png", "secret.png"),
            table_of("a/link.png,a"),
        ),
        read_table,
        "link.png', a symbolic link out of its folder",
        "put a copy in its place",
    ),
    Case(
        "a table that may not be read",
        all_of(table_of(), failing(Path, "read_bytes", forbidden)),
        read_table,
        "list.csv cannot be read",
        r"chmod u\+r",
    ),
    Case(
        "a side that is not known",
        with_split(a="val"),
        read_table,
        "the split 'val'",
        "write train or test in every row",
    ),
    Case(
        "a row without a side",
        with_split(a=""),
        read_table,
        "no split in the row of 'a/000.png'",
        "fill it, or remove the row",
    ),
    Case(
        "a class on one side",
        with_split(b="train"),
        read_table,
        "'b' for one side only and none for test",
        "every class needs both",
    ),
]

# Tables of factors

WAYS = "factors.csv tells how each model was built"


def factors(*models, heading=("model", *FACTORS), values="abcdefgh"):
    rows = [heading, *([model, *values] for model in models)]
    return "\n".join(map(",".join, rows)) + "\n"


FACTOR_TABLES = [
    Case(
        f"factors: {name}",
        written("mine/factors.csv", content.encode("latin-1")),
        reading(),
        f"factors.csv.*{wrong}",
        remedy,
    )
    for name, content, wrong, remedy in [
        ("empty", "", r"lacks the columns \['model', 'family'", WAYS),
        ("an archive", "PK\x03\x04", "lacks the columns", WAYS),
        ("no model", "name,family\n", "lacks the columns", WAYS),
        ("no rows", factors(), "a heading and no rows", WAYS),
        ("twice", factors("a", "b", "a"), "two rows for 'a'", "keep one"),
        ("long", factors("a", values="abcdefghi"), "10 values under 9", "in quotes"),
        ("short", factors("a", values="abc"), "4 values under 9", "in quotes"),
        ("a gap", factors("a", values=["", *"bcdefgh"]), "no 'family'", "write 'none'"),
        (
            "a column twice",
            factors("a", heading=("model", "up", *FACTORS)),
            "the column 'up' twice",
            "keep one",
        ),
        (
            "an open quote",
            factors("a", values=['"' + "x" * 200_000, *"bcdefgh"]),
            "cannot be read",
            WAYS,
        ),
        ("another model", factors("a"), r"no row for \['b'\]", "add it, or remove"),
    ]
]

# Parquet files


def parquet(change=lambda table: table):
    """Rows as Community Forensics has them, with something wrong."""

    def make(world):
        rows = [
            {"image_data": encoded(IMAGE, "PNG"), "model_name": name, "label": label}
            for name, label, n in (("LAION", 0, 8), ("m", 1, 4))
            for _ in range(n)
        ]
        change(pd.DataFrame(rows)).to_parquet(world.root / "x.parquet")

    return make


def with_value(column, value, row):
    def change(table):
        table.at[row, column] = value
        return table

    return change


PARQUET = [
    Case(f"parquet: {name}", parquet(change), read_parquet, wrong, remedy)
    for name, change, wrong, remedy in [
        (
            "no images",
            lambda t: t.drop(columns="image_data"),
            r"x.parquet lacks .*\['image_data'\]; it has",
            "Files of Community Forensics have",
        ),
        (
            "a label that is none",
            with_value("label", 7, 0),
            "the label .*7.* in row 0",
            "1 is for generated",
        ),
        (
            "a model without a name",
            with_value("model_name", None, 9),
            "no model_name in row 9",
            "give one",
        ),
        (
            "bytes that are no image",
            with_value("image_data", b"no image", 0),
            "row 0 of .*x.parquet is empty, damaged",
            "convert it to PNG or leave it out",
        ),
        (
            "no bytes",
            with_value("image_data", None, 0),
            "row 0 of .*x.parquet has no image_data",
            "remove the row",
        ),
        (
            "a row of another size",
            with_value("image_data", encoded(IMAGE.resize((9, 6)), "PNG"), 9),
            "row 9 .* is 9 x 6 pixels",
            "size=6",
        ),
        (
            "no real images",
            lambda t: t[t["label"] == 1],
            "holds no real images",
            "add a file that does",
        ),
        (
            "no generated images",
            lambda t: t[t["label"] == 0],
            "holds no generated images",
            "add a file that does",
        ),
    ]
]
PARQUET += [
    Case(
        "parquet: cut",
        written("mine/x.parquet", b"PAR1 and no more"),
        read_parquet,
        "x.parquet cannot be read as parquet",
        "get it again",
    ),
    Case(
        "parquet: an audit of files that are none",
        parquet(),
        lambda w: audit(w.root / "x.parquet"),
        "the images of .*x.parquet are no files of their own",
        "load.* looks at how they are stored",
    ),
]

# Fitting an attributor


def few(world):
    write_class(world.root / "few", 200, 9)


FITTING = [
    Case(
        "a class of nine images",
        few,
        fitted(with_real=False),
        "class 'a' has 6 images of its own among 6",
        "add some, or leave the class out",
    ),
    Case(
        "too few real images",
        nothing,
        fitted(),
        "class 'real' has .*a fifth of the real images",
        "add some, or leave the class out",
    ),
    *[
        Case(
            f"a class called {name!r}",
            renamed("mine/a", b"/mine/" + name.encode()),
            fitted(with_real=False),
            f"the class .*{name.split(' ')[0]}.* would not be told from an answer",
            "rename it",
        )
        for name in ("unknown", "unsure", "several", "a | b")
    ],
    Case(
        "a misspelt estimate",
        nothing,
        fitted(estimate="neerest"),
        "unknown estimate 'neerest'",
        "did you mean 'nearest'",
    ),
    Case(
        "a misspelt space",
        nothing,
        fitted(space="rbg"),
        "unknown space 'rbg'",
        "did you mean 'rgb'",
    ),
    Case(
        "a coverage of one",
        nothing,
        fitted(coverage=1.0),
        "coverage must be between 0 and 1, got 1.0",
        "0.9 asks for sets",
    ),
    Case(
        "a device that is not there",
        nothing,
        fitted(device="gpu"),
        "device 'gpu' cannot be used here",
        "there is cpu",
    ),
    Case(
        "a folder in place of a benchmark",
        nothing,
        lambda w: Attributor().fit(str(w.root)),
        "fit takes a Benchmark, got str",
        "read a folder by load first",
    ),
    Case(
        "an attributor among the images",
        nothing,
        manifpt(*FIT, "-o", "mine/attributor", *PLAIN),
        "mine/attributor lies among the images of mine",
        "choose a place outside of it",
        ClickException,
    ),
    Case(
        "an attributor where something else is",
        all_of(made("thesis"), written("thesis/thesis.tex", b"years of work")),
        manifpt(*FIT, "-o", "thesis", *PLAIN),
        "thesis exists and holds no attributor",
        "name a new folder",
        ClickException,
    ),
    Case(
        "an attributor below a file",
        written("thesis.tex", b"years of work"),
        manifpt(*FIT, "-o", "thesis.tex/attributor", *PLAIN),
        "attributor cannot be written, for .*thesis.tex is no folder",
        "choose another place",
        ClickException,
    ),
    Case(
        "an attributor where nothing may be written",
        no_permission,
        manifpt(*FIT, "-o", "new", *PLAIN),
        "new cannot be written, for you have no permission",
        r"chmod u\+w, or choose another place",
        ClickException,
    ),
    Case(
        "no room for an attributor",
        failing(storage, "_check_sums", full),
        lambda w: load_attributor(w.attributor).save(w.place / "new"),
        "new cannot be written .No space left",
        "make room, or choose another place",
        OSError,
    ),
    Case(
        "no room to replace an attributor",
        failing(Path, "rename", full),
        lambda w: load_attributor(w.attributor).save(w.attributor),
        "attributor cannot be written .No space left",
        "make room, or choose another place",
        OSError,
    ),
    Case(
        "a seed below zero",
        nothing,
        manifpt(*FIT, "-o", "new", "--seed", "-1"),
        "-1 is not in the range",
        "x>=0",
        UsageError,
    ),
]

# A saved attributor

AGAIN = "fit the attributor again"


def flipped(name, place=-3):
    """One bit of a file is another one."""

    def make(world):
        path = world.attributor / name
        content = bytearray(path.read_bytes())
        content[place] ^= 1
        path.write_bytes(content)

    return make


def recorded(**entries):
    """The record says something else, under the right check sum."""

    def make(world):
        path = world.attributor / storage.RECORD
        record = json.loads(path.read_text()) | entries
        path.write_text(json.dumps(record | {"sha256": storage._sum_of(record)}))

    return make


def misspelt(world):
    """One letter of the name of a class."""
    path = world.attributor / storage.RECORD
    path.write_text(path.read_text().replace('"real"', '"reel"'))


SAVED = [
    Case(f"attributor: {name}", make, load_it, wrong, remedy)
    for name, make, wrong, remedy in [
        *[
            (f"one bit of {name}", flipped(name), f"{name} is not as it was", AGAIN)
            for name in (
                "classifier.safetensors",
                "real.safetensors",
                "calibration.safetensors",
                "images.csv",
                "confusion.png",
            )
        ],
        ("one letter", misspelt, "attributor.json is not as it was written", AGAIN),
        (
            "a lost file",
            removed("attributor/real.safetensors"),
            "real.safetensors is missing",
            AGAIN,
        ),
        (
            "a lost record",
            removed("attributor/attributor.json"),
            "attributor holds no attributor",
            "make one with `manifpt attribute fit`",
        ),
        *[
            (
                f"a record of {text!r}",
                written("attributor/attributor.json", text),
                "attributor.json is damaged",
                AGAIN,
            )
            for text in (b"", b"[1]", b"{", b'{"files": {}}', b"\xff\xfe")
        ],
        (
            "an empty record",
            written("attributor/attributor.json", b'{"schema": 2, "files": {}}'),
            "attributor.json is not as it was written",
            AGAIN,
        ),
        (
            "another version",
            recorded(schema=3),
            "in format 3, and this version reads format 2",
            "or use the version that made it",
        ),
        (
            "a path out of its folder",
            recorded(files={"../secret": "0"}),
            "names '../secret', which lies outside its folder",
            AGAIN,
        ),
    ]
]

# Questions to an attributor

ANSWERS = [
    Case(
        "a question about nothing",
        nothing,
        answers([]),
        "no image was named",
        "give files, or folders of files",
    ),
    Case(
        "a question about a lost file",
        nothing,
        answers("mine/a/no.png"),
        "mine/a/no.png does not exist",
        "name files, or folders of files",
    ),
    Case(
        "a question about an empty folder",
        made("empty"),
        answers("empty"),
        "empty holds no images",
        "fill it or remove the folder",
    ),
    Case(
        "a question about a folder of folders",
        nothing,
        answers(["mine"]),
        "mine/a is a folder",
        "put its images directly into",
    ),
    Case(
        "a question about a list of arrays",
        nothing,
        answers([pixels()]),
        "a path was expected, got ndarray",
        "all images as one .n, h, w, 3. uint8 array",
    ),
    Case(
        "a question about numbers in 0..1",
        nothing,
        answers(np.zeros((1, 8, 8, 3))),
        "images must be uint8, .* got float64",
        r"np.rint\(255",
    ),
    Case(
        "a question about images of another size",
        nothing,
        answers(np.zeros((1, 9, 8, 3), np.uint8)),
        r"images are \(9, 8, 3\)",
        "resize all images of a benchmark to one size",
    ),
    Case(
        "a file of another size among others",
        resaved("wide.png", (9, 8)),
        error_of_row("wide.png"),
        "wide.png is 9 x 8 pixels, but all images of the fit were 8 x 8",
        "Fit again with a size",
    ),
    Case(
        "a letter among images",
        written("letter.txt", b"hello"),
        error_of_row("letter.txt"),
        "letter.txt is empty, damaged, or of a format",
        "convert it to PNG or leave it out",
    ),
    Case(
        "a pipe among images",
        pipe("pipe.png"),
        error_of_row("pipe.png"),
        "pipe.png is not a file",
        "remove it, or name a file",
    ),
    Case(
        "a link to nothing among images",
        linked("link.png", "nowhere.png"),
        error_of_row("link.png"),
        "link.png vanished",
        "start again",
    ),
    Case(
        "two gigabytes among images",
        sparse("huge.jpg"),
        error_of_row("huge.jpg"),
        "huge.jpg takes 2,147,483,648 bytes",
        "reduce it or remove the file",
    ),
    Case(
        "an attributor that was not fitted",
        nothing,
        lambda w: Attributor().predict(np.zeros((1, 8, 8, 3), np.uint8)),
        "is not fitted yet",
        "Call 'fit'",
    ),
    Case(
        "a device that is not there, asked",
        nothing,
        lambda w: load_attributor(w.attributor, device="gpu"),
        "device 'gpu' cannot be used here",
        "there is cpu",
    ),
    *[
        Case(name, make, manifpt(*PREDICT, *words), wrong, remedy, ClickException)
        for name, make, words, wrong, remedy in [
            (
                "a coverage of seven",
                nothing,
                ("--coverage", "7"),
                "coverage must be between 0 and 1, got 7.0",
                "0.9 asks for sets",
            ),
            (
                "a picture over the image",
                nothing,
                ("--explain", "mine/a/000.png"),
                "mine/a/000.png lies among the images",
                "choose a place outside of it",
            ),
            (
                "a picture over another one",
                resaved("holiday.png"),
                ("--explain", "holiday.png"),
                "holiday.png exists and is no earlier report",
                "choose another name",
            ),
            (
                "answers over a thesis",
                written("thesis.csv", b"years of work"),
                ("--csv", "thesis.csv"),
                "thesis.csv exists and is no earlier report",
                "choose another name",
            ),
            (
                "answers below a file",
                written("thesis.csv", b"years of work"),
                ("--csv", "thesis.csv/answers.csv"),
                "thesis.csv is no folder",
                "choose another place",
            ),
            (
                "answers where nothing may be written",
                no_permission,
                ("--csv", "answers.csv"),
                "answers.csv cannot be written, for you have no permission",
                "choose another place",
            ),
            (
                "no room for answers",
                failing(files.os, "replace", full),
                ("--csv", "answers.csv"),
                "answers.csv cannot be written .No space left",
                "make room, or choose another place",
            ),
        ]
    ],
]

# The audit's files, and studies


class Fatal(Study):
    """A study whose trainings kill the process that they run in."""

    name, keys, values = "fatal", ("method",), ("score", "reason")
    types, order = {"score": float}, {}

    def planned(self):
        return [("a",), ("b",)]

    def cells(self, training):
        return {training}

    def measure(self, training, **options):
        os.kill(os.getpid(), signal.SIGKILL)

    def batch(self, training):
        return training

    def account(self, training):
        return training[0]

    def sheets(self):
        return {}


def begun(world):
    """A study of the folder has one row, and then a class appears."""
    study = FolderStudy(world.root, name="results")
    training = planned()[0]
    (cell,) = study.cells(training)
    row = dict(zip(study.keys, cell, strict=True))
    Store(study, world.place, "").add([training], [row], 1.0)
    shutil.copytree(world.root / "a", world.root / "c")


def fatal(world):
    study = Fatal()
    compute(study.planned(), Store(study, world.place, ""), jobs=2)


OTHERS = [
    Case(
        "no room for a copy",
        failing(image_files.Image.Image, "save", full),
        manifpt("audit", "mine", "--normalise", "png", "-o", "new"),
        "new cannot be written .No space left on device",
        "make room, or choose another place",
        ClickException,
    ),
    Case(
        "no room for a report",
        failing(files.os, "replace", full),
        manifpt("audit", "mine", "--csv", "files.csv"),
        "files.csv cannot be written .No space left",
        "make room, or choose another place",
        ClickException,
    ),
    Case(
        "no room for packed images",
        small_disk,
        reading(),
        "images cannot be packed in .*are needed",
        "free space, set MANIFPT_CACHE to another folder",
        changes=("mine/.cache",),
    ),
    Case(
        "results over a table",
        written("mydata.csv", b"a,b\n1,2\n"),
        manifpt(*STUDY, "-o", "mydata.csv"),
        "mydata.csv .*holds something else than results of this study",
        "give another file, or move the two away",
        ClickException,
    ),
    Case(
        "results below a file",
        written("thesis.tex", b"years of work"),
        manifpt(*STUDY, "-o", "thesis.tex/results.csv"),
        "results.csv cannot be written, for .*thesis.tex is no folder",
        "choose another place",
        ClickException,
    ),
    Case(
        "results of a record that is cut",
        all_of(
            written("x.csv", b"method,space,kind,n_train,n_test,effort,seed\n"),
            written("x.json", b'{"runs": ['),
        ),
        manifpt(*STUDY, "-o", "x.csv"),
        "x.csv with x.json is damaged",
        "give another file, or move the two away",
        ClickException,
    ),
    Case(
        "a class that appears between two calls",
        begun,
        manifpt(*STUDY, "-o", "results.csv"),
        "results.csv holds results of other images: c changed since",
        "Give another file by -o, or delete that one",
        ClickException,
    ),
    Case(
        "a study without a folder",
        removed("mine"),
        manifpt(*STUDY),
        "mine",
        "real/ and <model>/",
        ClickException,
    ),
    Case(
        "a process that is killed",
        nothing,
        fatal,
        "a process was killed",
        "the same command continues",
        ValueError,
    ),
]

CASES = [
    *FILES,
    *FOLDERS,
    *OPTIONS,
    *TABLES,
    *FACTOR_TABLES,
    *PARQUET,
    *FITTING,
    *SAVED,
    *ANSWERS,
    *OTHERS,
]
