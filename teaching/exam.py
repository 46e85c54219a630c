"""Examination questions: open ones of a file, and those of the chapters' quizzes.

The questions and the answers are two documents, which number the questions alike.
"""

from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from manifpt_utils.notebook.questions import Question

from .quiz_text import choices, right_answer

FILE = Path(__file__).parent / "exam.yml"
Text = Annotated[str, Field(pattern=r"\S", description="text that is not empty")]
QUESTIONS = (
    "Open questions come first, then those of the chapters' quizzes, whose numbers "
    "are those of the run that made this kit. One point for each thing that an answer "
    "is to say, and one for each question of a quiz. Choose about as many "
    "minutes as your examination has."
)
ANSWERS = "One point for each line; other words of the same meaning count as well."


class OpenQuestion(BaseModel):
    """A question that is answered in words; each line of its answer is a point."""

    model_config = ConfigDict(extra="forbid", strict=True)

    chapter: Text
    minutes: int = Field(gt=0)
    ask: Text
    answer: list[Text] = Field(min_length=1)

    @property
    def points(self):
        """The points for a full answer."""
        return len(self.answer)


def read_exam(path=FILE, *, chapters):
    """Read the open questions.

    Parameters
    ----------
    path : path of a YAML file
    chapters : collection of str
        The names of all chapters.

    Returns
    -------
    list of OpenQuestion

    Raises
    ------
    ValueError
        If the file has another form, or a question is on a chapter that does not exist.
    """
    path = Path(path)
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))["questions"]
        found = [OpenQuestion.model_validate(entry) for entry in raw]
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path.name} must hold one key, `questions`, with a list: {error}."
        ) from None
    except ValidationError as error:
        raise ValueError(f"{path.name}: {error}") from None
    for question in found:
        if question.chapter not in chapters:
            raise ValueError(
                f"{path.name}: there is no chapter {question.chapter!r}; the chapters "
                f"are {', '.join(sorted(chapters))}."
            )
    return found


def exam_documents(questions, outlines):
    """The questions, and the answers, as two texts in Markdown.

    Parameters
    ----------
    questions : list of OpenQuestion
    outlines : list of Outline
        Of the chapters, in the order of the book.

    Returns
    -------
    asked, answered : str
    """
    asked, answered = [f"{QUESTIONS}\n"], [f"{ANSWERS}\n"]
    for outline in outlines:
        chapter = f"## {outline.title}\n"
        open_ones = [q for q in questions if q.chapter == outline.name]
        entries = [_open(q) for q in open_ones]
        entries += [_quiz(Question(**values)) for values in outline.questions]
        for texts, side in ((asked, 0), (answered, 1)):
            texts.append(chapter)
            texts += [
                f"**{number}.** {entry[side]}\n"
                for number, entry in enumerate(entries, start=1)
            ]
    return "\n".join(asked), "\n".join(answered)


def _open(question):
    worth = f"*{question.points} points, {question.minutes} minutes*"
    points = "\n".join(f"- {line}" for line in question.answer)
    return f"{question.ask.strip()} {worth}", f"\n\n{points}"


def _quiz(question):
    asked = f"{question.ask} *1 point*\n\n{choices(question)}"
    return asked, right_answer(question)
