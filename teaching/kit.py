"""The whole kit: what is written, and where."""

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from bs4 import BeautifulSoup

from .assets import DECK, DOCUMENT, write_assets
from .contents import chapters, pages
from .deck import without_links
from .documents import document_html, exercises_text, section
from .exam import exam_documents, read_exam
from .outline import read_outline
from .slides import slides_html

TITLE = "Fingerprints of generative models"
LESSON = "What is a fingerprint? A lesson of 90 minutes"
LESSON_CHAPTERS = ("00_circle", "02_artifact_visualization", "03_attribution")
LESSON_EXERCISES = ("01_manifold_estimation",)
UNNAMED = re.compile(r"\[\]\(executed/(\w+)\.ipynb\)")  # a link that shows a title
PLAN = "A lesson of 90 minutes"  # the section of the page for teachers
INTRODUCTION = "Everything here works without a network."
INDEX, BOOK = "index.html", "book.pdf"
WHOLE = f"The whole book is [one PDF]({BOOK})."
QUICK = (
    "This kit was made from a quick run of the notebooks, on a few images: its numbers "
    "are no results. Run `make book`, and then `make kit`, for a lesson."
)
FOLDERS = {
    "lesson": (
        "A lesson of 90 minutes",
        "It is ready to give. Copy this folder to any computer. The answers are for "
        "the teacher.",
    ),
    "slides": (
        "The slides of each chapter",
        "The key S opens the notes of the speaker.",
    ),
    "exam": ("Questions for examinations", "The answers are in a file of their own."),
    "exercises": (
        "The exercises",
        "They are notebooks for students, and a handout to be printed.",
    ),
    "for-teachers": ("For teachers", "Courses, learning goals and solved exercises."),
}
ORDER = ("courses", "plan", "slides", "handout", "questions", "answers")  # in a list


@dataclass(frozen=True)
class Kit:
    """Where the kit is made from, and where it is written.

    Parameters
    ----------
    root : path
        Of the project.
    output : path
    executed : path, optional
        Folder of the executed chapters; default: that of the book.
    """

    root: Path
    output: Path
    executed: Path | None = None

    def outlines(self):
        """The executed chapters, in the order of the book.

        Raises
        ------
        ValueError
            If none has been executed.
        """
        folder = self._executed()
        paths = [folder / f"{name}.ipynb" for name in chapters(self.root)]
        found = [read_outline(path) for path in paths if path.is_file()]
        if not found:
            raise ValueError(
                f"no chapter was executed into {folder}: run `make book` first."
            )
        return found

    def is_quick(self):
        """Whether any chapter was executed with the profile smoke."""
        record = self._executed() / "runs.json"
        if not record.is_file():
            return False
        runs = json.loads(record.read_text(encoding="utf-8"))["runs"]
        return any(run["profile"] == "smoke" for run in runs)

    def _executed(self):
        return self.executed or self.root / "book" / "executed"

    def write(self):
        """Write everything that needs no browser.

        Returns
        -------
        list of path
            Pages that are to be printed as well.

        Raises
        ------
        ValueError
            If the folder holds anything that is no part of a kit, or the questions of
            the examination cannot be read; an older kit is then still there.
        """
        outlines = self.outlines()
        questions = read_exam(chapters=chapters(self.root))
        self._check_free()
        shutil.rmtree(self.output, ignore_errors=True)
        for name in FOLDERS:
            files = DECK if name in ("lesson", "slides") else DOCUMENT
            write_assets(self.output / name / "assets", files)
        self._write_slides(outlines)
        printed = [*self._write_exam(questions, outlines), *self._write_exercises()]
        printed += self._write_for_teachers(outlines)
        printed += self._write_lesson(questions, outlines)
        self.write_index()
        return printed

    def _check_free(self):
        """Refuse a folder in which something else would be lost."""
        found = {p.name for p in self.output.iterdir()} if self.output.is_dir() else ()
        others = sorted({*found} - {*FOLDERS, INDEX, BOOK})
        if others or self.output.is_file():
            raise ValueError(
                f"{self.output} holds {others[0] if others else 'a file'}, which is no "
                "part of a kit and would be lost; name a new folder."
            )

    def book_pages(self):
        """Title and path of each page of the rendered book."""
        html = self.root / "book" / "_build" / "html"
        paths = [f"{name}.html" for name in pages(self.root)]
        return [(_title(html / p), p) for p in paths if (html / p).is_file()]

    def _write_slides(self, outlines):
        for outline in outlines:
            self._put(f"slides/{outline.name}.html", slides_html([outline]))

    def _write_exam(self, questions, outlines):
        asked, answered = exam_documents(questions, outlines)
        yield self._document("exam/questions", "Examination questions", asked)
        yield self._document("exam/answers", "Answers for the examiner", answered)

    def _write_exercises(self):
        paths = sorted((self.root / "exercises").glob("*.ipynb"))
        self._copy(paths, "exercises")
        text = exercises_text(paths)
        yield self._document("exercises/handout", "Exercises", text)

    def _write_for_teachers(self, outlines):
        solutions = sorted((self.root / "exercises" / "solutions").glob("*.ipynb"))
        self._copy(solutions, "for-teachers/solutions")
        title, _, text = self._teaching(outlines).partition("\n")
        yield self._document("for-teachers/courses", title.strip("# "), text)

    def _write_lesson(self, questions, outlines):
        chosen = [o for o in outlines if o.name in LESSON_CHAPTERS]
        self._put("lesson/slides.html", slides_html(chosen, title=LESSON))
        plan = section(self._teaching(outlines), PLAN)
        yield self._document("lesson/plan", PLAN, plan)
        folder = self.root / "exercises"
        paths = [folder / f"{name}.ipynb" for name in LESSON_EXERCISES]
        self._copy(paths, "lesson")
        yield self._document("lesson/handout", "Exercises", exercises_text(paths))
        asked, answered = exam_documents(questions, chosen)
        yield self._document("lesson/questions", "Questions on the lesson", asked)
        yield self._document("lesson/answers", "Answers for the teacher", answered)

    def write_index(self):
        """Write the page that leads to everything that is there, PDFs included."""
        titles = {outline.name: outline.title for outline in self.outlines()}
        whole = [WHOLE] if (self.output / BOOK).is_file() else []
        warning = [f"**{QUICK}**"] if self.is_quick() else []
        parts = [self._index_of(name, titles) for name in FOLDERS]
        text = "\n\n".join([INTRODUCTION, *whole, *warning, *parts])
        page = document_html("Teaching kit", text, assets="lesson/assets")
        self._put(INDEX, page)

    def _index_of(self, name, titles):
        """What a folder is for, and its pages and notebooks."""
        title, use = FOLDERS[name]
        pages = sorted((self.output / name).glob("**/*.html"), key=_place)
        notebooks = sorted((self.output / name).glob("**/*.ipynb"))
        lines = [f"- {self._link(path, titles)}" for path in [*pages, *notebooks]]
        return "\n".join([f"## {title}", "", use, "", *lines])

    def _link(self, path, titles):
        """A page by its title, with its PDF; a notebook as such."""
        place = path.relative_to(self.output)
        title = titles.get(path.stem, path.stem.capitalize())
        note = ", a notebook" if path.suffix == ".ipynb" else ""
        if path.with_suffix(".pdf").is_file():
            note = f" ([PDF]({place.with_suffix('.pdf').as_posix()}))"
        return f"[{title}]({place.as_posix()}){note}"

    def _teaching(self, outlines):
        """The page for teachers, with the titles that the book would put in."""
        titles = {outline.name: outline.title for outline in outlines}
        text = (self.root / "book" / "teaching.md").read_text(encoding="utf-8")
        return UNNAMED.sub(lambda m: titles.get(m[1], m[1]), text)

    def _document(self, name, title, text):
        return self._put(f"{name}.html", document_html(title, without_links(text)))

    def _put(self, name, text):
        path = self.output / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def _copy(self, paths, name):
        folder = self.output / name
        folder.mkdir(parents=True, exist_ok=True)
        for path in paths:
            shutil.copyfile(path, folder / path.name)


def _place(path):
    """Where a page stands in a list: as in a lesson, or by its chapter."""
    known = path.stem in ORDER
    return known, ORDER.index(path.stem) if known else path.stem


def _title(path):
    heading = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser").find("h1")
    return heading.get_text().removesuffix("#").strip()
