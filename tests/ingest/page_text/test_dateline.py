"""Datelines: what opens a story, what only looks like it, and the places named."""

from __future__ import annotations

import doctest

import pytest

from app.ingest.page_text import dateline
from app.ingest.page_text.dateline import parse, title


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("NEW YORK", "New York"),
        ("AL-MUKALLA", "Al-Mukalla"),
        ("DEIR AL-BALAH", "Deir Al-Balah"),
        ("SHARM EL-SHEIKH", "Sharm El-Sheikh"),
        ("N'DJAMENA", "N'Djamena"),
        ("N’DJAMENA", "N’Djamena"),
        ("RIO DE JANEIRO", "Rio de Janeiro"),
        ("DAR ES SALAAM", "Dar es Salaam"),
        ("ST. PETERSBURG", "St. Petersburg"),
        ("ST. JOHN'S", "St. John's"),
        ("SANA'A", "Sana'a"),
        ("AL-‘ULA", "Al-‘Ula"),
        ("PORT-AU-PRINCE", "Port-au-Prince"),
        ("FRANKFURT AM MAIN", "Frankfurt am Main"),
        ("COTE D'IVOIRE", "Cote d'Ivoire"),
        ("L'AQUILA", "L'Aquila"),
        ("LA PAZ", "La Paz"),
        ("PALOS DE LA FRONTERA", "Palos de la Frontera"),
        ("McALLEN", "McAllen"),
        ("MCALLEN", "McAllen"),
        ("SÃO PAULO", "São Paulo"),
        ("ÖSTERSUND", "Östersund"),
        ("WASHINGTON D.C.", "Washington D.C."),
        ("UAE", "UAE"),
        ("RIO de JANEIRO", "Rio de Janeiro"),
        ("Dubai", "Dubai"),
    ],
)
def test_a_place_is_put_in_title_case(printed: str, expected: str) -> None:
    assert title(printed) == expected


@pytest.mark.parametrize(
    ("printed", "places"),
    [
        ("ISLAMABAD", ("Islamabad",)),
        ("DUBAI/RIYADH", ("Dubai", "Riyadh")),
        ("DUBAI / RIYADH", ("Dubai", "Riyadh")),
        ("DUBAI - RIYADH", ("Dubai", "Riyadh")),
        ("DUBAI and RIYADH", ("Dubai", "Riyadh")),
        ("DUBAI & RIYADH", ("Dubai", "Riyadh")),
        ("DUBAI/DUBAI", ("Dubai",)),
        ("ISLAMABAD, LAHORE", ("Islamabad", "Lahore")),
        ("KARACHI, Pakistan", ("Karachi",)),
        ("KARACHI, PAKISTAN", ("Karachi",)),
        ("WASHINGTON, D.C.", ("Washington",)),
        ("KARACHI, Pakistan/KABUL, Afghanistan", ("Karachi", "Kabul")),
        ("TRINIDAD AND TOBAGO", ("Trinidad and Tobago",)),
        ("THE HAGUE", ("The Hague",)),
        ("NEWPORT NEWS", ("Newport News",)),
        ("UNITED NATIONS", ("United Nations",)),
        ("SINGAPORE", ("Singapore",)),
        ("N’DJAMENA, Chad", ("N’Djamena",)),
        ("MOUNTAIN VIEW, California", ("Mountain View",)),
        ("SUNNYVALE, CA", ("Sunnyvale",)),
        ("AS-SULAYYIL", ("As-Sulayyil",)),
    ],
)
def test_capitals_and_a_colon_are_a_dateline(printed: str, places: tuple[str, ...]) -> None:
    found = parse(f"{printed}: It rained: a lot.")
    assert found is not None
    assert (found.printed, found.places) == (printed, places)
    assert (found.rest, found.agency, found.date, found.doubt) == (
        "It rained: a lot.",
        None,
        None,
        None,
    )


@pytest.mark.parametrize(
    ("text", "printed", "agency", "date"),
    [
        ("DUBAI/RIYADH, Jan 5 (Reuters) - It.", "DUBAI/RIYADH", "Reuters", None),
        ("WASHINGTON (AP) — It.", "WASHINGTON", "AP", None),
        ("KABUL, May 9 (Xinhua) -- It.", "KABUL", "Xinhua", None),
        ("CAIRO: (AFP) - It.", "CAIRO", "AFP", None),
        ("LONDON, (AFP) – It.", "LONDON", "AFP", None),
        ("Riyadh, SPA -- It.", "Riyadh", "SPA", None),
        ("BEIRUT, May 9, (Reuters) - It.", "BEIRUT", "Reuters", None),
        ("VIENNA/DUBAI Jan 5 (Reuters) - It.", "VIENNA/DUBAI", "Reuters", None),
        ("Riyadh, May 9, SPA -- It.", "Riyadh", "SPA", None),
        ("ABU DHABI, 5th January, 2023 (WAM) -- It.", "ABU DHABI", "WAM", "5th January, 2023"),
        ("CAIRO (AFP): It.", "CAIRO", "AFP", None),
        ("Dubai, 5 January (Reuters) – It.", "Dubai", "Reuters", None),
        (
            "GENEVA, Sunday, Jan. 5, 2020 (UN News) - It.",
            "GENEVA",
            "UN News",
            "Sunday, Jan. 5, 2020",
        ),
        ("LONDON, 12 May 2020: It.", "LONDON", None, "12 May 2020"),
        ("LONDON, May 12: It.", "LONDON", None, None),
        ("GENEVA (Switzerland): It.", "GENEVA (Switzerland)", None, None),
    ],
)
def test_agencies_and_days_are_told_apart_from_the_place(
    text: str, printed: str, agency: str | None, date: str | None
) -> None:
    found = parse(text)
    assert found is not None
    assert (found.printed, found.agency, found.date, found.rest) == (printed, agency, date, "It.")


def test_a_dash_alone_is_read_with_a_doubt() -> None:
    found = parse("RIYADH — The port: open.")
    assert found is not None
    assert (found.printed, found.rest) == ("RIYADH", "The port: open.")
    assert found.doubt == '"RIYADH" is set off by a dash, not by a colon'


@pytest.mark.parametrize(
    "text",
    [
        "WARNING: do not swim.",
        "EDITOR’S NOTE: this was changed.",
        "KEY FACTS: five.",
        "COVID-19: what we know.",
        "Q: Why?",
        "US: a country.",
        "U.S.: a country.",
        "THE PROBLEM: money.",
        "WHY IT MATTERS: money.",
        "THE GOVERNMENT HAS FALLEN AND THE KING: gone.",
        "Dubai: a portrait.",
        "He said: no.",
        "HE SAID, adding that: no.",
        "DUBAI, which he left: no.",
        "KABUL (the capital) is big.",
        "The firm (Reuters) - said so.",
        "A man (left) - said so.",
        "HTTP://example.com is down.",
        "12:30 was the time.",
        ": nothing.",
        "",
        "/: x",
        "DUBAI/: x",
        "DUBAI -RIYADH: x",
        "AI — The future.",
        "Riyadh — The future.",
        "ONE TWO THREE FOUR FIVE SIX SEVEN: x",
        f"{'LONG' * 30}: x",
    ],
)
def test_what_only_looks_like_a_dateline_is_none(text: str) -> None:
    assert parse(text) is None


def test_the_docstring_example_runs() -> None:
    result = doctest.testmod(dateline)
    assert result.attempted == 3
    assert result.failed == 0


@pytest.mark.parametrize(
    "label",
    [
        *("UPDATE", "WATCH", "EXCLUSIVE", "OPINION", "ANALYSIS", "BREAKING", "HIGHLIGHTS"),
        *("BREAKING NEWS", "FIRST THINGS FIRST", "READ MORE", "FULL TEXT", "DAY ONE", "WORLD CUP"),
        *("OP-ED", "IN PICTURES", "DON’T MISS", "FIFA", "UNESCO", "INGREDIENTS", "CLICK HERE"),
    ],
)
def test_a_label_that_editors_set_in_capitals_is_no_place(label: str) -> None:
    assert parse(f"{label}: It rained.") is None


@pytest.mark.parametrize("printed", ["ABOARD THE OCEAN VIKING", "ON BOARD AIR FORCE ONE", "AT SEA"])
def test_a_dateline_that_is_no_place_names_none(printed: str) -> None:
    found = parse(f"{printed}: It rained.")
    assert found is not None
    assert (found.printed, found.places, found.rest) == (printed, (), "It rained.")
    assert found.doubt == f'"{printed}" names no place'


def test_an_agency_after_a_comma_needs_a_place_before_it() -> None:
    assert parse("He works for the ministry, SPA - it rained.") is None
