"""The study of a folder: planned, gone on with, refused for other images."""

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from PIL import Image

from manifpt_utils.study import command as module
from manifpt_utils.study import folder_study, folder_training
from manifpt_utils.study.folder_study import (
    FolderStudy,
    expected_seconds,
    methods,
    planned,
    summary,
)
from manifpt_utils.study.settings import Method, ours
from manifpt_utils.study.study import Store


def write(root, *, n=14):
    """Real images and two models, of which one is brighter than the other."""
    rng = np.random.default_rng(0)
    for name, level in (("real", 100), ("dark", 60), ("bright", 180)):
        (root / name).mkdir(parents=True)
        for i in range(n):
            image = np.clip(rng.normal(level, 8, (16, 16, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(image).save(root / name / f"{i:03}.png")
    return root


@pytest.fixture
def root(tmp_path):
    return write(tmp_path / "mine")


def run(*arguments):
    return CliRunner().invoke(module.command, ["run", *map(str, arguments)])


def test_a_given_split_is_kept(tmp_path, monkeypatch):
    for side in ("train", "test"):
        write(tmp_path / "sides" / side)
        for path in (tmp_path / "sides" / side).glob("*/*.png"):
            image = np.array(Image.open(path))
            image[0, 0] = 255 if side == "test" else 0
            Image.fromarray(image).save(path)
    seen = []
    whole = folder_training.evaluate
    monkeypatch.setattr(
        folder_training,
        "evaluate",
        lambda *args, **options: (
            seen.append((args, options)) or whole(*args, **options)
        ),
    )
    study = FolderStudy(tmp_path / "sides")
    for method in (ours("rgb", "raw"), Method("McCloskey18", "", "earlier")):
        (row,) = study.measure(planned([method], n_train=6, n_test=4, seeds=1)[0])
        assert row["score"] >= 0
    assert len(seen) == 2
    for (_, x, _), options in seen:
        corner = x.reshape(len(x), -1)[:, 0]
        assert np.array_equal(corner == corner.max(), options["tested"])


def test_images_may_be_listed_in_a_file(root, tmp_path):
    rows = [f"{p.relative_to(root)},{p.parent.name}" for p in root.glob("*/*.png")]
    (root / "list.csv").write_text("file,label\n" + "\n".join(rows))
    assert FolderStudy(root / "list.csv").sheets().keys() == {"real", "dark", "bright"}


def test_the_plan_has_every_method_and_no_filter_of_vectors():
    names = [str(m) for m in methods(["rgb", "supervised"])]
    assert "rgb denoiser" in names and "supervised denoiser" not in names
    assert "rgb exact" not in names  # the manifold of a folder is not known
    assert len(names) == 10 + 7 + 8
    assert planned(effort=1 / 3)[0].effort == 0.33333, "as the file of results has it"
    trainings = planned(methods(["rgb"]), n_train=5, n_test=2, seeds=4)
    assert len(trainings) == 4 * (10 + 8)
    assert [t.seed for t in trainings[:4]] == [1, 2, 3, 4]
    with pytest.raises(ValueError, match="unknown 'rbg'; did you mean 'rgb'"):
        methods(["rbg"])


def test_a_study_of_a_folder_computes_what_it_lacks(root, tmp_path, monkeypatch):
    output = tmp_path / "mine.csv"
    options = ["--benchmark", root, "-o", output, "--spaces", "rgb", "--kinds", "raw"]
    options += ["--earlier", "McCloskey18", "--n-train", 6, "--n-test", 4]
    options += ["--seeds", 2]
    listed = run(*options, "--list")
    assert len(listed.output.splitlines()) == 4 and not output.exists()
    done = run(*options)
    assert done.exit_code == 0, done.output
    assert "3 trainings are left; they will take about" in done.output
    table = pd.read_csv(output)
    assert table["seed"].tolist() == [1, 2, 1, 2] and table["reason"].isna().all()
    # No value is saturated, so the earlier method has nothing to go by.
    assert table["score"].tolist() == [0.5, 0.5, 1, 1]
    assert "rgb raw" in done.output and "McCloskey18" in done.output
    monkeypatch.setattr(FolderStudy, "measure", None)
    again = run(*options)
    assert again.exit_code == 0 and "are left" not in again.output


def test_images_of_another_size_or_treatment_have_rows_of_their_own(root, tmp_path):
    output = tmp_path / "mine.csv"
    options = ["--benchmark", root, "-o", output, "--spaces", "rgb", "--kinds", "raw"]
    options += ["--earlier", "McCloskey18", "--n-train", 6, "--n-test", 4]
    for more in ((), ("--size", 8), ("--normalise", "jpeg90"), ("--size", 8)):
        done = run(*options, "--seeds", 1, *more)
        assert done.exit_code == 0, done.output
    table = pd.read_csv(output, keep_default_na=False)
    rows = table.groupby(["size", "normalise"]).size()
    assert rows.to_dict() == {(0, ""): 2, (0, "jpeg90"): 2, (8, ""): 2}
    assert done.output.count("rgb raw") == 1  # the table is of this size alone
    assert len(summary(FolderStudy(root).parse(output.read_bytes()))) == 6


def test_a_warning_stands_beside_a_table_that_was_computed_before(root, tmp_path):
    (root / "dark" / "again.png").write_bytes((root / "dark" / "000.png").read_bytes())
    options = ["--benchmark", root, "-o", tmp_path / "mine.csv", "--spaces", "rgb"]
    options += ["--kinds", "raw", "--earlier", "McCloskey18"]
    options += ["--n-train", 6, "--n-test", 4, "--seeds", 1]
    for _ in range(2):
        done = run(*options)
        assert "Warning: some images are copies" in done.output, done.output


def test_real_images_may_be_a_data_set_of_torchvision(root, tmp_path):
    (root / "real").rename(tmp_path / "no_longer_needed")
    root.rename(tmp_path / "generated")
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    names = [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]
    rng = np.random.default_rng(0)
    for name in names:
        content = rng.integers(0, 256, 3 * (1 + 3 * 32 * 32), np.uint8)
        (folder / f"{name}.bin").write_bytes(content.tobytes())
    name = f"torchvision:CIFAR10:{tmp_path}"
    options = ["--spaces", "rgb", "--kinds", "nearest", "--earlier", "McCloskey18"]
    options += ["--n-train", 6, "--n-test", 4, "--seeds", 1, "--size", 16]
    done = run("--benchmark", name, "-o", tmp_path / "mine.csv", *options)
    assert done.exit_code == 0 and "rgb nearest" in done.output, done.output
    before = FolderStudy(name).sheets()
    (folder / "test_batch.bin").write_bytes(bytes(3 * (1 + 3 * 32 * 32)))
    changed = {k for k, v in FolderStudy(name).sheets().items() if v != before[k]}
    assert changed == {"real"}


def test_results_of_other_images_are_not_added_to(root, tmp_path):
    study, training = FolderStudy(root, name="mine"), planned()[0]
    store = Store(study, tmp_path, "")
    (cell,) = study.cells(training)
    store.add([training], [dict(zip(study.keys, cell, strict=True))], 1.0)
    study.check(store)
    (root / "dark" / "000.png").unlink()
    changed = FolderStudy(root, name="mine")
    with pytest.raises(
        ValueError, match=r"holds results of other images: dark changed"
    ):
        changed.check(Store(changed, tmp_path, ""))


def test_too_few_images_are_told_at_once(root, tmp_path):
    done = run("--benchmark", root, "-o", tmp_path / "x.csv", "--n-train", 50)
    assert done.exit_code == 1 and "n=150 images per class were asked" in done.output
    assert not (tmp_path / "x.csv").exists()


def test_trainings_with_other_numbers_of_images_stay(root, tmp_path):
    study = FolderStudy(root, name="mine")
    store = Store(study, tmp_path, "")
    for n in (5, 6):
        training = planned([ours("rgb", "raw")], n_train=n)[0]
        (cell,) = study.cells(training)
        store.add([training], [dict(zip(study.keys, cell, strict=True))], 1.0)
    assert store.read()[0]["n_train"].tolist() == [5, 6]


def test_a_method_that_cannot_work_says_why(root, monkeypatch):
    study = FolderStudy(root)
    training = planned([Method("Nataraj19", "", "earlier")], n_train=500, n_test=1)[0]
    (row,) = study.measure(training)
    assert "score" not in row and "class" in row["reason"]


def test_time_is_told_by_what_the_methods_took_before(monkeypatch):
    weights = {"rgb raw": 2.0, "Yu19": 20.0}
    monkeypatch.setattr(folder_study, "_weights", lambda: weights)
    raw, yu = (planned([m])[0] for m in (ours("rgb", "raw"), methods()[-1]))
    assert expected_seconds([raw, yu, yu], raw, 1.0) == pytest.approx(21)
    other = planned([ours("rgb", "pca")])[0]  # was not in the stored comparison
    assert expected_seconds([other], raw, 1.0) == pytest.approx(5.5)


def test_stored_weights_are_seconds_of_a_training():
    weights = folder_study._weights()
    assert weights["Marra19"] > weights["Dzanic20"] > 0


def test_the_table_has_intervals_over_the_trainings():
    key = {"size": 0, "normalise": "", "n_train": 5, "n_test": 5, "effort": 1.0}
    key |= {"reason": ""}
    rows = [
        {"method": "ours", "space": "rgb", "kind": "raw", "score": s, "seed": i}
        for i, s in enumerate([0.5, 0.6, 0.7])
    ]
    rows += [
        {"method": "Yu19", "space": "", "kind": "earlier", "score": 0.9, "seed": 1}
    ]
    table = summary(pd.DataFrame([key | row for row in rows]))
    assert table.index.tolist() == ["Yu19", "rgb raw"]
    assert table.loc["rgb raw", "low"] == pytest.approx(0.352, abs=1e-3)
    assert np.isnan(table.loc["Yu19", "low"]) and table.loc["Yu19", "trainings"] == 1
