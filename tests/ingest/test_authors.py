from __future__ import annotations

import doctest

import pytest

from app.ingest import authors


@pytest.mark.parametrize(
    ("byline", "names"),
    [
        (None, ()),
        ("", ()),
        ("By Jane Doe", ("Jane Doe",)),
        ("BY: JANE DOE", ("JANE DOE",)),
        ("Jane Doe & Omar bin Ali", ("Jane Doe", "Omar bin Ali")),
        ("Jane Doe, Omar Ali and JANE DOE", ("Jane Doe", "Omar Ali")),
        ("Jane Doe, Chief Political Correspondent", ("Jane Doe",)),
        ("Jane Doe in Cairo, Omar Ali in Doha", ("Jane Doe", "Omar Ali")),
        ("jane@example.org (Jane Doe)", ("Jane Doe",)),
        ("Jane Doe <jane@example.org>", ("Jane Doe",)),
        ("Jane Doe | Arab News", ("Jane Doe",)),
        ("Jane Doe with AFP", ("Jane Doe",)),
        ("Anne-Marie O’Connor; José Núñez", ("Anne-Marie O’Connor", "José Núñez")),
        ("محمد العلي", ("محمد العلي",)),
        ("王小明", ("王小明",)),
        ("Reuters", ("Reuters",)),
        ("AP, Reuters", ("AP", "Reuters")),
        ("Staff Writer", ()),
        ("Dr. Theodore Karasik", ("Dr. Theodore Karasik",)),
    ],
)
def test_the_names_of_a_byline(byline: str | None, names: tuple[str, ...]) -> None:
    assert authors.names(byline) == names


def test_the_examples_hold() -> None:
    assert doctest.testmod(authors) == (0, 2)
