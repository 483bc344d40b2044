"""Pages of other sites, languages and scripts: what their lines say of the story."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.ingest.page_text import boilerplate, dates
from app.ingest.page_text.dateline import parse
from tests.ingest.page_text.pages import FULL, body, draft, page, read

TEXT = "\n\n".join(body("medium"))
MAY_9 = datetime(2020, 5, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "byline"),
    [
        ("By Jane Roe, John Doe and Ann Poe", "Jane Roe, John Doe and Ann Poe"),
        ("By Łukasz Żak and Mary O'Neil", "Łukasz Żak and Mary O'Neil"),
        ("By Ana de la Cruz, Jan van der Berg and Omar bin Ali", None),
        ("Von Max Muster und Änne Groß", "Max Muster und Änne Groß"),
        ("Par Élise d'Arcy et Jean Roux", "Élise d'Arcy et Jean Roux"),
        ("作者：张三", "张三"),
        ("بقلم: سالم حداد", "سالم حداد"),
        ("Ein Kommentar von Max Muster", "Max Muster"),
        ("di Marco Rossi e Anna De Luca", "Marco Rossi e Anna De Luca"),
        ("Penulis: Siti Rahma", "Siti Rahma"),
        ("מאת: יוסי כהן", "יוסי כהן"),
        ("김철수 기자", "김철수 기자"),
        ("ویب ڈیسک", "ویب ڈیسک"),
    ],
)
def test_bylines_name_several_people_in_any_letters(line: str, byline: str | None) -> None:
    assert boilerplate.byline(line) == (byline or line.removeprefix("By "))


def test_a_sentence_that_starts_like_a_byline_is_none() -> None:
    assert boilerplate.byline("By the time it rained, nobody cared.") is None


@pytest.mark.parametrize(
    "text",
    [
        *("09. Mai 2020, 14:35 Uhr", "le 9 mai 2020 à 14h35", "9 de mayo de 2020", "9 мая 2020"),
        *(
            "2020年5月9日 14:35",
            "2020年5月9日(土)",
            "٩ مايو ٢٠٢٠",
            "9 مئی 2020",
            "शनिवार, 9 मई 2020",
        ),
        *("14.35 9 May 2020", "9 May 2020 | 14:35", "9.mai.2020 às 14h35", "2020/05/09 14:35"),
        *("9 במאי 2020", "9 Μαΐου 2020", "9 أيار/مايو 2020", "2020. május 9.", "৯ মে ২০২০"),
        *("9 tháng 5, 2020", "2020.05.09. 14:35", "9. května 2020", "9 Mei 2020, 14:35"),
    ],
)
def test_days_of_other_languages_are_read(text: str) -> None:
    assert dates.parse(text) == dates.Printed(MAY_9, "day")


def test_a_time_may_stand_before_its_day() -> None:
    at = datetime(2020, 5, 9, 14, 35, tzinfo=UTC)
    for text in ("14:35 GMT, 9 May 2020", "2.35 pm GMT | May 9, 2020"):
        assert dates.parse(text) == dates.Printed(at, "minute")


def test_a_day_in_numbers_counts_where_it_has_one_meaning() -> None:
    found = dates.parse("25/12/2019")
    assert found is not None
    assert found.at == datetime(2019, 12, 25, tzinfo=UTC)
    assert dates.parse("09.05.2020") == dates.Printed(
        None, None, "may have the day or the month first"
    )


@pytest.mark.parametrize(
    ("text", "printed", "agency"),
    [
        ("MOSCOW, May 9. /TASS/. It.", "MOSCOW", "TASS"),
        ("NEW YORK, May 9, 2020 /PRNewswire/ -- It.", "NEW YORK", "PRNewswire"),
        ("DALLAS--(BUSINESS WIRE)--It.", "DALLAS", "BUSINESS WIRE"),
        ("Paris, France | AFP | It.", "Paris, France", "AFP"),
        ("ATHENS, Ga. (AP) — It.", "ATHENS, Ga.", "AP"),
        ("MOUNTAIN VIEW, Calif. (AP) — It.", "MOUNTAIN VIEW, Calif.", "AP"),
        ("Hamburg (dpa) - It.", "Hamburg", "dpa"),
        ("London (CNN) It.", "London", "CNN"),
        ("New Delhi, May 9 (PTI) It.", "New Delhi", "PTI"),
        ("القاهرة (رويترز) - It.", "القاهرة", "رويترز"),
    ],
)
def test_datelines_of_other_agencies(text: str, printed: str, agency: str) -> None:
    found = parse(text)
    assert found is not None
    assert (found.printed, found.agency, found.rest) == (printed, agency, "It.")


@pytest.mark.parametrize(
    ("text", "printed", "places", "agency"),
    [
        ("(ANSA) - ROMA, 09 MAG - It.", "ROMA", ("Roma",), "ANSA"),
        ("新华社里斯本5月9日电（记者 张三、李四）It.", "里斯本", ("里斯本",), "张三、李四"),
        ("【リスボン＝山田太郎】It.", "リスボン", ("リスボン",), "山田太郎"),
        ("【ワシントン共同】It.", "ワシントン", ("ワシントン",), "共同"),
        ("(서울=연합뉴스) 김철수 기자 = It.", "서울", ("서울",), "김철수"),
        ("МОСКВА, 25 мая — РИА Новости. It.", "МОСКВА", ("Москва",), "РИА Новости"),
        ("КИЇВ, 9 травня (Укрінформ) – It.", "КИЇВ", ("Київ",), "Укрінформ"),
        ("تهران - ایرنا - It.", "تهران", ("تهران",), "ایرنا"),
        ("کراچی: It.", "کراچی", ("کراچی",), None),
        ("नई दिल्ली, 9 मई (भाषा) It.", "नई दिल्ली", ("नई दिल्ली",), "भाषा"),
        ("BERLIN taz/dpa | It.", "BERLIN", ("Berlin",), "taz/dpa"),
        ("JAKARTA, KOMPAS.com - It.", "JAKARTA", ("Jakarta",), "KOMPAS.com"),
        ("Madrid, 9 may (EFE).- It.", "Madrid", ("Madrid",), "EFE"),
        ("GENEVA / NEW YORK (9 May 2020) – It.", "GENEVA / NEW YORK", ("Geneva", "New York"), None),
        ("İZMİR (DHA) - It.", "İZMİR", ("İzmir",), "DHA"),
    ],
)
def test_datelines_of_other_languages(
    text: str, printed: str, places: tuple[str, ...], agency: str | None
) -> None:
    found = parse(text)
    assert found is not None
    assert (found.printed, found.places, found.agency) == (printed, places, agency)
    assert found.rest == "It."


@pytest.mark.parametrize(
    "text",
    [
        "बाजार: शेयर बढ़े",
        "سوال: کیا ہوا",
        "【速報】It.",
        "Note - the board - said it.",
        "(Reuters) - It.",
    ],
)
def test_a_word_that_no_list_has_as_a_place_is_no_dateline(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize("label", ["MODERATOR", "KEY TAKEAWAYS", "BITCOIN", "GDP", "PILOT"])
def test_words_that_name_no_place_are_no_dateline(label: str) -> None:
    assert parse(f"{label}: It rained.") is None


def test_names_before_colons_in_a_transcript_are_speakers() -> None:
    found = draft(f"Two voices\n\n9 May 2020\n\nHADDAD: {body('short')[0]}\nROE: Yes.\n")
    assert found.dateline is None
    assert found.body.startswith("HADDAD: ")


def test_headline_and_caption_printed_again_are_no_text() -> None:
    photo = "Cranes at the port of Salalah on Friday. (AFP)"
    text = page(FULL).replace(photo, f"{photo}\n{photo}")
    top, follow, rest = text.partition("Follow\n\n")
    again = f"{FULL.headline}\n{FULL.headline}\n{photo}\n"
    found = draft(top + follow + rest.replace(FULL.headline, again, 1))
    assert (found.caption, found.summary) == (FULL.caption, FULL.summary)
    assert found.body == "\n\n".join(FULL.body)


def test_a_section_and_a_standfirst_frame_the_headline() -> None:
    top = "Shipping\nBoard picks new pilot\nVote took nine minutes\nJane Roe in Milltown\n"
    found = draft(f"{top}Sat 9 May 2020 14.35 BST\n{TEXT}")
    assert found.headline == "Board picks new pilot"
    assert found.summary == ("Vote took nine minutes",)
    assert (found.byline, found.published_at) == ("Jane Roe in Milltown", MAY_9)
    assert found.body == TEXT


def test_a_headline_may_end_in_a_full_stop() -> None:
    found = draft(f"It was the fog.\n\nBy Jane Roe\n\nMay 9, 2020\n\n{TEXT}")
    assert (found.headline, found.byline) == ("It was the fog.", "Jane Roe")


def test_clocks_of_a_live_blog_are_no_headline() -> None:
    day = "Updated 09 May 2020\n14:35 GMT\n"
    found = draft(f"Vote live\n\n{day}{body('short')[0]}\n{day}{TEXT}")
    assert found.headline == "Vote live"
    assert body("short")[0] in found.body


def test_a_story_above_its_headline_is_kept() -> None:
    found = draft(f"{TEXT}\nPorts reopen\nhttps://example.org/k9\nPorts reopen\n- One\n")
    assert found.headline == "Ports reopen"
    assert found.body == f"{TEXT}\n\n- One"


def test_a_japanese_page_is_no_listing() -> None:
    text = "".join(f"港の委員会は第{n}の水先人を選んだ。\n\n" for n in range(5))
    assert draft(f"港の委員会\n\n2020年5月9日\n\n{text}").published_at == MAY_9


def test_a_chinese_page_names_its_source() -> None:
    text = "港口委员会周五选出了一名新的领航员，渡轮公司在场观看了整个过程。"
    found = draft(f"港口委员会选出新领航员\n\n2020年5月9日 14:35 来源：谷地新闻\n\n{text}")
    assert (found.source, found.published_at, found.body) == ("谷地新闻", MAY_9, text)


def test_a_paywall_is_left_out_and_told() -> None:
    end = "To continue reading, subscribe now\n\nAlready a subscriber? Log in\n"
    found = draft(f"Ports reopen\n\nMay 9, 2020\n\n{TEXT}\n\n{end}")
    assert found.body == TEXT
    assert any("may be cut short" in warning for warning in found.warnings)


def test_a_correction_may_stand_before_the_dateline() -> None:
    found = draft(page(FULL).replace("MUSCAT: ", "Correction: The day was wrong.\nMUSCAT: "))
    assert (found.dateline, len(read(page(FULL)))) == ("MUSCAT", 1)
    assert found.body.startswith("Correction: The day was wrong.\n\n")
