"""The courses as they are delivered: complete in both languages, and answerable."""

import json
from pathlib import Path

import pytest

from accounts import courses as room
from accounts.courses import FOR_EVERYBODY, LANGUAGES, MAINTENANCE, courses
from accounts.prose import blocks, text_hash
from accounts.services.agreements import platform_texts

SIZES = {"confidentiality": (6, 8), "law": (8, 10), "maintenance": (5, 6)}


@pytest.mark.parametrize("code", SIZES)
def test_a_course_is_whole_in_both_languages(code: str) -> None:
    course = courses()[code]
    assert (len(course.lessons), len(course.questions)) == SIZES[code]
    for question in course.questions:
        for language in LANGUAGES:
            answers = [answer[language] for answer in question.answers]
            assert len(set(answers)) == len(answers) >= 3
    for lesson in course.lessons:
        counts = [[(block.kind, len(block.lines)) for block in blocks(lesson.text[language])] for language in LANGUAGES]
        assert counts[0] == counts[1], f"{lesson.title['en']}: the two languages are built differently"


def test_chinese_texts_have_chinese_punctuation() -> None:
    texts = [lesson.text["zh"] for course in courses().values() for lesson in course.lessons]
    texts += [question.text["zh"] for course in courses().values() for question in course.questions]
    assert not [text for text in [*texts, platform_texts()["text_zh"]] if {",", ";", "("} & set(text)]


def test_the_right_answer_has_no_favourite_place() -> None:
    for course in courses().values():
        places = [question.right for question in course.questions]
        assert max(places.count(place) for place in set(places)) <= len(places) // 2


def test_what_is_not_checked_says_that_counsel_confirms_it() -> None:
    for course in (courses()["law"], courses()["maintenance"]):
        parts = [part for lesson in course.lessons for block in blocks(lesson.text["en"]) for part in block.lines]
        unsure = [part for part in parts if "not checked" in part and "(34, not checked)" not in part]
        assert all("counsel must confirm" in part or "For the last two" in part for part in unsure)


def test_the_pass_mark_is_rounded_up() -> None:
    assert {code: course.needed for code, course in courses().items()} == {
        "confidentiality": 7,
        "law": 8,
        "maintenance": 5,
    }


def test_order_and_codes() -> None:
    assert tuple(courses()) == (*FOR_EVERYBODY, MAINTENANCE)


def test_a_file_without_a_right_answer_or_a_language_is_refused(tmp_path: Path) -> None:
    good = json.loads((room._FOLDER / "law.json").read_text())
    path = tmp_path / "law.json"
    for change in (
        {"questions": [{**good["questions"][0], "right": 4}]},
        {"title": {"zh": "", "en": "x"}},
        {"pages": []},
    ):
        path.write_text(json.dumps({**good, **change}))
        with pytest.raises(ValueError, match=r"right answer|missing in one language|has pages"):
            room._read(path)


def test_a_text_falls_into_its_parts_without_losing_a_word() -> None:
    text = "# Head\r\n\r\nOne line.  \n- a\n\n- b\nAnother - line.\n# Last"
    assert [(block.kind, block.lines) for block in blocks(text)] == [
        ("heading", ["Head"]),
        ("text", ["One line."]),
        ("list", ["a", "b"]),
        ("text", ["Another - line."]),
        ("heading", ["Last"]),
    ]


def test_the_digest_is_over_all_four_parts() -> None:
    parts = {"title_zh": "甲", "text_zh": "乙", "title_en": "a", "text_en": "b"}
    whole = text_hash(**parts)
    assert len(whole) == 64
    assert len({text_hash(**{**parts, name: "x"}) for name in parts} | {whole}) == 5
