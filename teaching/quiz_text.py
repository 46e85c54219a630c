"""The questions of a chapter's quiz in plain text, and what is right."""

from manifpt_utils.notebook.findings import number
from manifpt_utils.notebook.questions import LETTERS


def choices(question):
    """The options of a question as a list in Markdown, nothing for a number.

    Parameters
    ----------
    question : Question
        Filled with the values of a run.

    Returns
    -------
    str
    """
    pairs = zip(LETTERS, question.options, strict=False)
    return "\n".join(f"- **{letter}** {option.text}" for letter, option in pairs)


def right_answer(question):
    """What is right, and why.

    Parameters
    ----------
    question : Question
        Filled with the values of a run.

    Returns
    -------
    str
    """
    if question.kind == "number":
        unit = f" {question.unit}" if question.unit else ""
        within = number(question.tolerance)
        right = f"{number(question.answer)}{unit}, or within {within} of it"
        return f"**{right}.** {question.if_right}"
    pairs = list(zip(LETTERS, question.options, strict=False))
    if question.kind == "order":
        pairs.sort(key=lambda pair: pair[1].by, reverse=question.first == "largest")
        return f"**{', '.join(letter for letter, _ in pairs)}.**"
    right = [(letter, option) for letter, option in pairs if option.right]
    letters = " and ".join(letter for letter, _ in right)
    return " ".join([f"**{letters}.**", *(option.feedback for _, option in right)])
