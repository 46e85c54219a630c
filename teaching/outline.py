"""What an executed chapter says, in the order in which it says it.

A chapter becomes a list of sections.  Each holds the prose below its heading, the
sentences that the run wrote, the figures with their descriptions, and the questions
that the run filled.
"""

import base64
import re
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

HEADING = re.compile(r"^(#{1,6}) +(.+?)\s*$", re.MULTILINE)
QUOTATION = re.compile(r"(?:^>.*\n?)+", re.MULTILINE)
ANSWER = "The answer"
TAKEAWAYS = "Takeaways"
MARKDOWN, PNG, SVG = "text/markdown", "image/png", "image/svg+xml"


@dataclass
class Figure:
    """A picture of a chapter, as the address of its data."""

    address: str
    alt: str
    caption: str = ""


@dataclass
class Section:
    """A heading and what stands below it, up to the next heading."""

    title: str
    level: int
    prose: str = ""
    findings: list[str] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)


@dataclass
class Outline:
    """A chapter; the first section holds its title, the question and the guess."""

    name: str
    sections: list[Section]
    questions: list[dict]

    @property
    def title(self):
        """The title of the chapter."""
        return self.sections[0].title

    def section(self, title):
        """The section of a title, an empty one where the chapter has none."""
        found = [s for s in self.sections if s.title == title]
        return found[0] if found else Section(title, 2)


def read_outline(path):
    """Read an executed chapter.

    Parameters
    ----------
    path : path of an executed notebook

    Returns
    -------
    Outline

    Raises
    ------
    ValueError
        If the file is no notebook, or does not begin with a title.
    """
    path = Path(path)
    try:
        notebook = nbformat.read(path, as_version=4)
    except (OSError, ValueError, nbformat.ValidationError) as error:
        raise ValueError(f"cannot read {path} as a notebook: {error}") from None
    found = Outline(path.stem, [], [])
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            _add_prose(found, cell.source)
        elif found.sections:
            for output in cell.get("outputs", []):
                _add_output(found, output)
    if not found.sections or found.sections[0].level != 1:
        raise ValueError(f"{path} does not begin with a title such as '# Attribution'.")
    return found


def quotations(prose):
    """The quotations of a text, without their marks, and the text without them.

    Examples
    --------
    >>> quotations("Look.\\n\\n> What do you expect?\\n> Guess.\\n")
    (['What do you expect?\\nGuess.'], 'Look.')
    """
    found = [
        re.sub(r"^> ?", "", q, flags=re.M).strip() for q in QUOTATION.findall(prose)
    ]
    return found, QUOTATION.sub("", prose).strip()


def first_sentences(text, most):
    """Whole sentences from the beginning of a text, at most so many characters.

    The first sentence is kept however long it is, and a list is kept from its text.

    Examples
    --------
    >>> first_sentences("One is here. Two is there. Three.", 27)
    'One is here. Two is there.'
    """
    paragraph = text.strip().split("\n\n")[0].replace("\n", " ")
    sentences = re.split(r"(?<=[.?!]) +(?=[A-Z*_$`(])", paragraph)
    kept = sentences[0]
    for sentence in sentences[1:]:
        if len(kept) + len(sentence) >= most:
            break
        kept = f"{kept} {sentence}"
    return kept


def key_idea(prose):
    """The first paragraph that sets a term in bold, with the formula that follows it.

    Examples
    --------
    >>> key_idea("We count.\\n\\nThe **artifact** is\\n\\n$$\\na\\n$$\\n\\nof a point.")
    'The **artifact** is\\n\\n$$\\na\\n$$\\n\\nof a point.'
    """
    paragraphs = [p.strip() for p in prose.split("\n\n")]
    for i, paragraph in enumerate(paragraphs):
        if "**" in paragraph and paragraph[0] not in "-|>#1":
            is_formula = "".join(paragraphs[i + 1 : i + 2]).startswith("$$")
            return "\n\n".join(paragraphs[i : i + (3 if is_formula else 1)])
    return ""


def _add_prose(outline, source):
    """Text goes to the last section, each heading opens a new one."""
    parts = HEADING.split(source)
    if outline.sections:
        outline.sections[-1].prose += f"\n\n{parts[0].strip()}"
    for marks, title, text in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        outline.sections.append(Section(title, len(marks), text.strip()))


def _add_output(outline, output):
    data, words = output.get("data", {}), output.get("metadata", {})
    section = outline.sections[-1]
    kind = words.get(MARKDOWN, {}).get("kind")
    if kind in ("answer", "finding"):
        section.findings.append(re.sub(r"^> ?", "", data[MARKDOWN], flags=re.M))
    elif kind == "prediction":
        section.prose += _guess(words[MARKDOWN]["prediction"])
    elif kind == "quiz":
        outline.questions += words[MARKDOWN]["questions"]
    elif SVG in data or PNG in data:
        section.figures.append(_figure(data, words))


def _guess(prediction):
    """What a chapter asks before a result, as a quotation like those of its prose."""
    options = "".join(f"> - {option['text']}\n" for option in prediction["options"])
    return f"\n\n> {prediction['ask']}\n>\n{options}"


def _figure(data, words):
    """Any static form of a picture; that of an interactive figure describes itself."""
    forms = [form for form in words.values() if isinstance(form, dict)]
    described = {key: value for form in forms for key, value in form.items()}
    if SVG in data:
        content = base64.b64encode(data[SVG].encode()).decode()
        address = f"data:{SVG};base64,{content}"
    else:
        address = f"data:{PNG};base64,{''.join(data[PNG].split())}"
    alt, caption = (str(described.get(key) or "") for key in ("alt", "caption"))
    return Figure(address, alt, caption)
