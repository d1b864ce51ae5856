"""The rules find every number that its own check confirms, exactly where it stands, and no other."""

from datetime import date

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from stdnum import luhn
from stdnum.cn import ric

from compliance.screening import (
    Match,
    Rule,
    fold,
    is_bank_card,
    is_identity_number,
    is_old_identity_number,
    matches,
    term_list,
)

IDENTITY, CARD = "11010519491231002X", "6222020200112230"
PROVINCES = ["11", "31", "44", "54", "65", "71", "81", "82", "83", "911", "944"]
FULL_WIDTH = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})
TERMS = sorted(term_list().topics)
LATIN = [term for term in TERMS if term.isascii()]
CHINESE = [term for term in TERMS if not term.isascii()]

digits = st.text("0123456789", min_size=1, max_size=30)
# Text around a number that cannot be a part of it.
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20).filter(
    lambda text: not set(fold(text)) & set("0123456789 -x")
)


@st.composite
def identity_numbers(draw):
    province = draw(st.sampled_from(PROVINCES))
    place = province + draw(st.text("0123456789", min_size=6 - len(province), max_size=6 - len(province)))
    born = draw(st.dates(date(1850, 1, 1), date(2026, 11, 26)))
    number = f"{place}{born:%Y%m%d}{draw(st.integers(0, 999)):03d}"
    return number + ric.calc_check_digit(number + "0")


@st.composite
def cards(draw):
    number = draw(st.sampled_from("234569")) + draw(st.text("0123456789", min_size=11, max_size=17))
    return number + luhn.calc_check_digit(number)


def found(text, *rules):
    return {(match.start, match.end) for match in matches(text) if match.rule in rules}


@given(words, identity_numbers(), words)
@example("证", IDENTITY, "")
@example("", IDENTITY.lower(), "号")
def test_an_identity_number_is_found_where_it_stands(before, number, after):
    assert found(before + number + after, Rule.IDENTITY_NUMBER) == {(len(before), len(before) + 18)}


@given(digits, identity_numbers(), digits)
@example("4", "110101199003074258", "")
def test_digits_beside_an_identity_number_do_not_hide_it(before, number, after):
    start, end = len(before), len(before) + 18
    # Digits at random may form another valid number across its edge: then the reviewer is led to the same place.
    assert [
        place for place in found(before + number + after, Rule.IDENTITY_NUMBER) if place[0] < end and place[1] > start
    ]


@given(
    words,
    identity_numbers(),
    words,
    st.sampled_from([(6, 14), (3, 6, 10, 14), (6,), (14,), (17,)]),
    st.sampled_from(" -－　"),
)
def test_groups_do_not_hide_an_identity_number(before, number, after, cuts, gap):
    parts = [number[start:end] for start, end in zip((0, *cuts), (*cuts, 18), strict=True)]
    written = gap.join(parts)
    assert found(before + written + after, Rule.IDENTITY_NUMBER) == {(len(before), len(before) + len(written))}


@given(words, identity_numbers() | cards(), words)
def test_full_width_characters_are_what_they_look_like(before, number, after):
    text = before + number.translate(FULL_WIDTH) + after
    numbers = [match for match in matches(text) if match.rule != Rule.TERM]
    assert [fold(text[match.start : match.end]).upper() for match in numbers] == [number]
    assert [(match.start, match.end) for match in numbers] == [(len(before), len(before) + len(number))]


@given(words, identity_numbers(), st.sampled_from("0123456789X"), words)
def test_a_wrong_check_digit_is_no_identity_number(before, number, last, after):
    assume(last != number[17])
    assert not is_identity_number(number[:17] + last)
    assert not found(before + number[:17] + last + after, Rule.IDENTITY_NUMBER)


@given(identity_numbers(), st.integers(0, 16), st.integers(1, 9))
def test_one_mistyped_digit_is_noticed(number, place, by):
    wrong = number[:place] + str((int(number[place]) + by) % 10) + number[place + 1 :]
    assert not is_identity_number(wrong)


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("990105194912310029", "no such province"),
        ("110105194913310020", "no thirteenth month"),
        ("110105194902300027", "no 30th of February"),
        ("110105184912310020", "born before 1850"),
        ("11010519491231002", "too short"),
        ("", "empty"),
    ],
)
def test_no_identity_number(number, why):
    for last in "0123456789X":
        assert not is_identity_number(number[:17] + last if len(number) == 18 else number), why


@pytest.mark.parametrize("day", ["1850-01-01", "1899-12-31", "1900-01-01", "1999-12-31", "2000-02-29", "2026-11-26"])
def test_birthdays_of_three_centuries(day):
    number = f"310115{day.replace('-', '')}001"
    assert is_identity_number(number + ric.calc_check_digit(number + "0"))


def test_an_old_number_of_fifteen_digits_is_found_alone_but_not_in_a_longer_run():
    old = "110105491231002"
    assert is_old_identity_number(old)
    assert found(f"旧号{old}。", Rule.IDENTITY_NUMBER) == {(2, 17)}
    assert not found(f"order {old}77", Rule.IDENTITY_NUMBER)
    assert not is_old_identity_number("110105491331002")
    assert not is_old_identity_number("990105491231002")


@given(words, cards(), words)
@example("card:", CARD, "")
def test_a_card_is_found_where_it_stands(before, number, after):
    assume(not any(is_identity_number(number[place : place + 18]) for place in range(2)))
    assert found(before + number + after, Rule.BANK_CARD) == {(len(before), len(before) + len(number))}


@given(words, cards(), words, st.sampled_from(" -"))
def test_a_card_in_groups_of_four_is_found(before, number, after, gap):
    assume(not any(is_identity_number(number[place : place + 18]) for place in range(2)))
    written = gap.join(number[place : place + 4] for place in range(0, len(number), 4))
    assert (len(before), len(before) + len(written)) in found(before + written + after, Rule.BANK_CARD)


@given(words, cards(), st.sampled_from("0123456789"), words)
def test_a_wrong_check_digit_is_no_card(before, number, last, after):
    assume(last != number[-1])
    assert not is_bank_card(number[:-1] + last)
    assert not found(before + number[:-1] + last + after, Rule.BANK_CARD)


@pytest.mark.parametrize(
    "number",
    ["422222222222", "62220202001122300000", "0000000000000000", "1234567812345670", "8613812345678", ""],
)
def test_no_card(number):
    assert not is_bank_card(number)


@pytest.mark.parametrize(
    "number",
    ["4111111111111111", "4222222222222", "5555555555554444", "378282246310005", "3530111333300000", CARD],
)
def test_cards_of_the_networks(number):
    assert is_bank_card(number)


@pytest.mark.parametrize(
    "text", ["", "电话 138 0013 8000", "2026-11-24 14:46", "JH0000417", "满 300 减 40", "+86 138-0013-8000"]
)
def test_everyday_numbers_are_left_alone(text):
    assert matches(text) == []


def test_what_cannot_be_seen_hides_nothing():
    assert found("110105\u200b19491231\ufeff002X", Rule.IDENTITY_NUMBER) == {(0, 20)}
    assert found("6222\u00a00202\u20090011\u22122230", Rule.BANK_CARD) == {(0, 19)}


def test_several_numbers_in_one_text_come_in_their_order():
    text = f"卡{CARD}，证{IDENTITY}；{CARD[:4]} {CARD[4:]} {IDENTITY}"
    assert [(match.rule, text[match.start : match.end]) for match in matches(text)] == [
        (Rule.BANK_CARD, CARD),
        (Rule.IDENTITY_NUMBER, IDENTITY),
        (Rule.BANK_CARD, f"{CARD[:4]} {CARD[4:]}"),
        (Rule.IDENTITY_NUMBER, IDENTITY),
    ]


@given(
    st.sampled_from(LATIN),
    st.sampled_from(["", " ", "，", "(", "患", "7 "]),
    st.sampled_from(["", " ", "。", ")", "病", "7"]),
)
def test_a_latin_term_is_found_as_a_whole_word_in_any_case(term, before, after):
    for written in (term, term.upper(), term.title(), term.translate(FULL_WIDTH)):
        place = (len(before), len(before) + len(term))
        assert Match(Rule.TERM, term_list().topics[term], *place) in matches(before + written + after)


@given(st.sampled_from(LATIN), st.sampled_from("abzéÅ"))
def test_a_latin_term_inside_a_word_is_no_hit(term, letter):
    assert (1, 1 + len(term)) not in found(letter + term, Rule.TERM)
    assert (0, len(term)) not in found(term + letter, Rule.TERM)


@given(st.sampled_from(CHINESE), words, words)
def test_a_chinese_term_is_found_anywhere(term, before, after):
    start, end = len(before), len(before) + len(term)
    # What stands before may form a term with its beginning; then that one is shown.
    assert [place for place in found(before + term + after, Rule.TERM) if place[0] < end and place[1] > start]


@pytest.mark.parametrize(
    ("text", "hits"),
    [
        ("宁夏回族自治区银川市", 0),
        ("新疆维吾尔自治区乌鲁木齐市", 0),
        ("四川省阿坝藏族羌族自治州", 0),
        ("云南省维西县攀天阁藏族乡", 0),
        ("客户是回族，不要含酒精的", 1),
        ("藏族，住西藏自治区", 1),
    ],
)
def test_a_people_in_the_name_of_a_place_is_no_hit(text, hits):
    assert len(found(text, Rule.TERM)) == hits


@given(st.text(max_size=200))
def test_places_are_in_the_text_in_order_and_do_not_overlap(text):
    assert len(fold(text)) == len(text)
    end = 0
    for match in matches(text):
        assert end <= match.start < match.end <= len(text)
        end = match.end


def test_the_term_list_is_sound():
    terms = term_list()
    topics = {"health", "religion", "politics", "origin", "sexuality", "record", "finance", "children", "prohibited"}
    assert set(terms.topics.values()) == topics
    assert terms.version == "2026-11"
    assert all(term == fold(term).strip() and term for term in terms.topics)
