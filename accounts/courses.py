"""The courses as data: pages and questions in Chinese and English, in `accounts/data/courses/*.json`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.utils.translation import get_language

_FOLDER = Path(__file__).parent / "data" / "courses"
LANGUAGES = ("zh", "en")
# Everybody who may open customer data passes these; whoever works with customers that arrived, the last one too.
CONFIDENTIALITY, LAW, MAINTENANCE = "confidentiality", "law", "maintenance"
FOR_EVERYBODY = (CONFIDENTIALITY, LAW)
Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Lesson:
    """One page of a course; its text is for `accounts.prose`."""

    title: Texts
    text: Texts


@dataclass(frozen=True, slots=True)
class Question:
    """`right`: the place of the one right answer, from 0. Never sent to a browser."""

    text: Texts
    answers: Sequence[Texts]
    right: int


@dataclass(frozen=True, slots=True)
class Course:
    """`accepts`: the oldest version whose completion still counts. `pass_percent` of the answers must be right; a
    completion counts for `months`."""

    code: str
    version: int
    accepts: int
    months: int
    pass_percent: int
    title: Texts
    summary: Texts
    lessons: Sequence[Lesson]
    questions: Sequence[Question]

    @property
    def needed(self) -> int:
        """How many right answers pass."""
        return -(-len(self.questions) * self.pass_percent // 100)


def language() -> str:
    """Which of the two languages of these texts the active one is."""
    return "zh" if (get_language() or "").startswith("zh") else "en"


def in_language(texts: Texts) -> str:
    """The text in the active language."""
    return texts[language()]


def course_of(code: str) -> Course:
    """The course of a code. Raises KeyError for one that does not exist."""
    return courses()[code]


@lru_cache(maxsize=1)
def courses() -> Mapping[str, Course]:
    """All courses by code, in the order in which they are taken. Raises ValueError when a file is not sound."""
    found = {path.stem: _read(path) for path in _FOLDER.glob("*.json")}
    return {code: found[code] for code in (*FOR_EVERYBODY, MAINTENANCE)}


def _read(path: Path) -> Course:
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    lessons = [Lesson(_texts(part["title"]), _texts(part["text"])) for part in data["pages"]]
    course = Course(
        code=path.stem,
        version=data["version"],
        accepts=data["accepts"],
        months=data["months"],
        pass_percent=data["pass_percent"],
        title=_texts(data["title"]),
        summary=_texts(data["summary"]),
        lessons=lessons,
        questions=[_question(one) for one in data["questions"]],
    )
    if not course.lessons or not course.questions or not 0 < course.pass_percent <= 100:
        raise ValueError(f"{path.name}: a course has pages, questions and a pass mark")
    return course


def _question(data: Mapping[str, Any]) -> Question:
    question = Question(_texts(data["text"]), [_texts(answer) for answer in data["answers"]], data["right"])
    if not 0 <= question.right < len(question.answers):
        raise ValueError(f"no right answer: {question.text['en']}")
    return question


def _texts(data: Mapping[str, Any]) -> Texts:
    """A text in both languages; a long one is written as its parts, which blank lines join."""
    texts = {code: data[code] if isinstance(data[code], str) else "\n\n".join(data[code]) for code in LANGUAGES}
    if not all(texts.values()):
        raise ValueError(f"a text is missing in one language: {texts}")
    return texts
