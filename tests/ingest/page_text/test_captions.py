"""Captions and their credits."""

from __future__ import annotations

import pytest

from app.ingest.page_text.captions import ends_in_credit, split

TEXT = "Omar Haddad speaks at the port of Salalah on Jan. 31, 2020"


@pytest.mark.parametrize(
    "credit",
    [
        *(
            "AFP",
            "AP",
            "Reuters/File",
            "SPA photo",
            "AP Photo/John Doe",
            "Supplied",
            "supplied",
            "SPA",
        ),
        *(
            "Photo Courtesy: ISPR",
            "Courtesy of the family",
            "AN photo by Huda Bashatah",
            "Getty Images",
        ),
        *(
            "X/@KSAmofaEN",
            "Twitter: @PakPMO",
            "ISPR",
            "Ministry of Foreign Affairs",
            "Social media",
        ),
        *(
            "Photo/Supplied",
            "AFP, 2019",
            "via Reuters",
            "Al Jazeera",
            "PID",
            "Screengrab",
            "Huda Bashatah",
        ),
        *("AFP (left), SPA", "File photo", "AFP/File Photo", "WAM", "AN Photo/Basheer Saleh"),
    ],
)
@pytest.mark.parametrize("stop", ["", "."])
@pytest.mark.parametrize(("opening", "closing"), ["()", "[]"])
def test_a_bracket_at_the_end_that_names_a_source_is_the_credit(
    opening: str, closing: str, stop: str, credit: str
) -> None:
    line = f"{TEXT}{stop} {opening}{credit}{closing}"
    assert split([line]) == (TEXT + stop, credit)
    assert ends_in_credit(line)


@pytest.mark.parametrize(
    "bracket",
    [
        *(
            "(left)",
            "(C)",
            "(2nd R)",
            "(File)",
            "(front, second from left)",
            "(in red)",
            "(top right)",
        ),
        *(
            "(2019)",
            "(Jan. 31, 2020)",
            "(photo taken in March)",
            "(it is old)",
            "(center, in white)",
            "()",
        ),
        *("(Portugal)", "(Saudi Arabia)", "(UAE)"),
        *("(a very long remark Of Words That goes on)", "(Omar L)", "(1980s)"),
    ],
)
def test_a_bracket_that_places_or_dates_stays_in_the_caption(bracket: str) -> None:
    line = f"{TEXT} {bracket}"
    assert split([line]) == (line, None)
    assert not ends_in_credit(line)


@pytest.mark.parametrize(
    "line",
    [
        "A meeting at Inter-Services Public Relations (ISPR)",
        "The leader of the Pakistan Muslim League (PML-N)",
        "The office of the Associated Press (AP)",
        "A visit to the Ministry of Foreign Affairs (MOFA)",
        "Imran Khan, chairman of Pakistan Tehreek-e-Insaf (PTI)",
        "Members of Tehreek-e-Taliban Pakistan (TTP)",
    ],
)
def test_a_bracket_that_spells_the_words_before_it_stays(line: str) -> None:
    assert split([line]) == (line, None)


@pytest.mark.parametrize(
    ("line", "caption", "credit"),
    [
        (f"{TEXT} AFP", TEXT, "AFP"),
        (f"{TEXT}. AFP", f"{TEXT}.", "AFP"),
        (f"{TEXT}. AFP.", f"{TEXT}.", "AFP"),
        (f"{TEXT} /AFP", TEXT, "AFP"),
        (f"{TEXT} — AFP", TEXT, "AFP"),
        (f"{TEXT} - Reuters", TEXT, "Reuters"),
        (f"{TEXT} | SPA", TEXT, "SPA"),
        (f"{TEXT} AFP/File", TEXT, "AFP/File"),
        (f"{TEXT} AP Photo", TEXT, "AP Photo"),
        (f"{TEXT}. Photo: Omar Haddad", f"{TEXT}.", "Photo: Omar Haddad"),
        (f"{TEXT}. Photo courtesy of ISPR", f"{TEXT}.", "Photo courtesy of ISPR"),
        (f"{TEXT}. Photo Courtesy: ISPR", f"{TEXT}.", "Photo Courtesy: ISPR"),
        (f"{TEXT}. Photo: SPA", f"{TEXT}.", "Photo: SPA"),
        (f"{TEXT}. Photo: supplied", f"{TEXT}.", "Photo: supplied"),
        (f"{TEXT}. Photo AFP", f"{TEXT}.", "Photo AFP"),
        (f"{TEXT}. Photo by Huda Bashatah", f"{TEXT}.", "Photo by Huda Bashatah"),
        (f"{TEXT}. Courtesy: PCB", f"{TEXT}.", "Courtesy: PCB"),
        (f"{TEXT}. File/AFP", f"{TEXT}.", "File/AFP"),
        (f"{TEXT}, AFP", TEXT, "AFP"),
        ("Photo: AFP", None, "Photo: AFP"),
        (f"{TEXT} (AFP", TEXT, "AFP"),
        (f"{TEXT} (AFP).", f"{TEXT}.", "AFP"),
        ("(AFP)", None, "AFP"),
        ("AFP", None, "AFP"),
        (f"{TEXT} (left) (AFP)", f"{TEXT} (left)", "AFP"),
        (f"A boat (AFP) and {TEXT} (SPA)", f"A boat (AFP) and {TEXT}", "SPA"),
    ],
)
def test_a_credit_without_brackets_is_a_known_agency_at_the_end(
    line: str, caption: str | None, credit: str
) -> None:
    assert split([line]) == (caption, credit)


@pytest.mark.parametrize(
    "line",
    [
        "Omar Haddad speaks to AFP",
        "Omar Haddad, as he told Reuters.",
        "A reporter of Arab News",
        "Staff at work for the AP.",
        "A crane (AFP) near the pier",
        "Nothing to see",
        "It shows AFP.",
        "An open bracket (of words that say nothing of a source",
        "A crane (AFP) near the pier of the (old town of photos of the fifties and after",
        "A pier) and (more)",
        "Photo of Ali Khan in Lahore",
        "Photo Exhibition opens in Riyadh",
        "Image Nation Abu Dhabi chairman at the festival",
        "Picture by Picasso sold in London",
        "more)",
    ],
)
def test_an_agency_that_the_sentence_needs_stays(line: str) -> None:
    assert split([line]) == (line, None)


def test_lines_are_joined_and_each_may_end_in_a_credit() -> None:
    lines = ["A boat. (AFP)", "A ship. (SPA)", "A crane. (AFP)"]
    assert split(lines) == ("A boat. A ship. A crane.", "AFP; SPA")


def test_a_line_that_goes_on_has_no_credit() -> None:
    assert split(["A boat (AFP)", "and a ship (SPA)"]) == ("A boat (AFP) and a ship", "SPA")


def test_no_lines_are_no_caption() -> None:
    assert split([]) == (None, None)
