"""The query language on sixteen articles: what each query finds, told from the text by hand.

Each line is a query and the numbers of the articles that it must find, no more and no fewer.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings

from app import filters, text
from app.errors import QueryError
from app.search.engine import Change, Document, Engine, Request
from app.search.highlight import highlighter
from app.search.query import parse
from tests.search.contract.articles import ENGINES
from tests.search.query.test_query import QUERIES

if TYPE_CHECKING:
    from collections.abc import Iterator


def article(
    published: str | None, headline: str, body: str, *summary: str, caption: str = "", **names: Any
) -> Document:
    """An article; `names` hold one name or a list of them."""
    listed = {name: names.pop(name, []) for name in filters.NAMED}
    assert not names
    instant = None
    if published is not None:
        instant = int(datetime.fromisoformat(published).replace(tzinfo=UTC).timestamp()) * 1_000_000
    return Document(
        headline=headline,
        summary=summary,
        caption=caption,
        body=body,
        published_us=instant,
        names={
            name: [text.fold(each) for each in ([given] if isinstance(given, str) else given)]
            for name, given in listed.items()
        },
    )


ARTICLES = {
    1: article(
        "2020-08-10",
        "Monsoon rain floods Islamabad",
        "Heavy rain flooded the streets of Pakistan's capital on Monday. “We lost everything,” "
        "said a shopkeeper.",
        "Schools shut for two days",
        "Army joins the rescue",
        caption="Boys push a motorbike through brown water.",
        place="Islamabad",
        source="Arab News",
        section="World",
        language="en",
    ),
    2: article(
        "2020-05-09",
        "U.S. envoy seeks intra-Afghan talks",
        "The American diplomat met leaders in Kabul. “Peace is close,” he told reporters, “but "
        "rain has delayed my flight.” The U.S.-led coalition said nothing.",
        "Taliban free 5,000 prisoners",
        place="Kabul",
        source="Arab News",
        section="World",
        language="en",
    ),
    3: article(
        "2020-03-31",
        "Covid-19 vaccine trial begins",
        "Doctors in Qatar gave the first doses on March 19. Some 20% of volunteers were over 65. "
        "Write to trial@example.org for details.",
        caption="A nurse holds a vial. (Reuters)",
        place="Doha",
        source="Gulf Times",
        section="Health",
        language="en",
    ),
    4: article(
        "2021-01-05",
        "Oil firm raises $1 billion",
        "The company sold bonds in Riyadh and Dubai. Its chief executive, Sean O'Neill, called "
        "the sale “a heavy vote of confidence”.",
        "Shares climb 5.8 percent",
        "Analysts stay cautious",
        place=["Riyadh", "Dubai"],
        source="The Financial Daily",
        section="Business",
        language="en",
    ),
    5: article(
        "2021-06-15",
        "Why C++ refuses to die",
        "Programmers in Beirut still write C++ and C# every day, and R&D departments pay them "
        "well. One coder, 41, runs a school.",
        place="Beirut",
        source="Arab News",
        section="Technology",
        language="en",
    ),
    6: article(
        "2020-05-31T23:30",
        "Café society returns to Paris",
        "Naïve tourists drink crème and read newspapers. “C’est la vie,” says François, the "
        "waiter.",
        caption="Une serveuse sert un café à Montmartre.",
        place="Paris",
        source="Le Monde",
        section="Culture",
        language="fr",
    ),
    7: article(
        "2020-05-09",
        "قطر تفوز على مصر",
        "قال المدرب إن الفريق لعب جيدا في القاهرة.",
        place="Cairo",
        source="Asharq Al-Awsat",
        section="World",
        language="ar",
    ),
    8: article(
        "2020-12-31",
        "Hamilton wins in Abu Dhabi",
        "The driver’s seventh title came after a wet race. Ferrari finished third and fourth. "
        "State-of-the-art tyres helped him, he said.",
        "Rain stops play twice",
        caption="Hamilton lifts the trophy",
        place="Abu Dhabi",
        source="The Sports Daily",
        section="Sport",
        language="en",
    ),
    9: article(
        None,
        "The state of the art",
        "Art is what artists make. No museum in this city can say NOT or OR to a painter. Every "
        "painting is a question: who paid?",
        source="Gulf Times",
        section="Opinion",
        language="en",
    ),
    10: article(
        "2022-02-28",
        "Brazil storm kills nine",
        "Hail and snow fell on São Paulo in a rare storm. Nine people died, and rescuers were "
        "still digging on Sunday. Snowfall is unusual there.",
        place="São Paulo",
        source="Arab News",
        section="World",
        language="en",
    ),
    11: article(
        "2019-07-01",
        "El niño vuelve a Málaga",
        "La lluvia cayó toda la noche en Málaga. Mañana habrá sol.",
        place="Málaga",
        source="El País",
        language="es",
    ),
    12: article(
        "2025-12-05",
        "Pakistan's central bank cuts rates",
        "The State Bank of Pakistan lowered its policy rate by 100 basis points. Economists had "
        "expected 50. A second cut may follow, analysts said.",
        "Inflation falls to 4.9%",
        "Rupee steady",
        place=["Karachi", "Islamabad"],
        source="Dawn",
        section="Business",
        language="en",
    ),
    13: article(
        "2025-12-05",
        "Doctors warn of dengue",
        "Dengue cases doubled after the monsoon. A doctor said the virus, unlike covid, spreads "
        "by mosquito. Nineteen patients died.",
        caption="Workers spray streets in Lahore",
        place="Lahore",
        source="Dawn",
        section="Health",
        language="en",
    ),
    14: article(
        "2024-01-01",
        "東京で大雪",
        "東京都は雪に注意。",
        place="東京",
        source="Asahi",
        section="World",
        language="ja",
    ),
    15: article(
        None,
        "rain* and other wildcards",
        'The query "heavy snow"~3 is not e-mail. Ask bob.smith@mail.example.com or visit '
        "https://example.org/help?q=rain. Use headline:rain, (brackets) and a^2.",
        place="New York",
        source="Wire",
        section="Technology",
    ),
    16: article(
        "2020-05-10T20:30",
        "Oil workers' cup final ends 3-0",
        "Dubai’s team won the cup final 3-0 in heavy, driving rain. “Rain, rain, rain,” the "
        "coach said. Captain Sean O’Neill scored twice.",
        place="Dubai",
        source="The Sports Daily",
        section="Sport",
        language="en",
    ),
}
ALL = set(ARTICLES)
UNDATED = {9, 15}
RAIN = {1, 2, 8, 15, 16}
RAIN_AND_HEAVY = {1, 15, 16}  # 4 is heavy, too

WORDS = [
    ("rain", RAIN),
    ("RAIN", RAIN),
    ("Rain!", RAIN),
    ("heavy", {1, 4, 15, 16}),
    ("rain heavy", RAIN_AND_HEAVY),
    ("Heavy RAIN", RAIN_AND_HEAVY),
    (" heavy\t\n rain ", RAIN_AND_HEAVY),
    ("rain rain heavy", RAIN_AND_HEAVY),
    ("rain, snow.", {15}),
    ("rain - snow", {15}),
    ("rain … heavy", RAIN_AND_HEAVY),
    ("rain snow hail", set()),
    ("oil rain captain", {16}),
    ("xylophone", set()),
    ("rain xylophone", set()),
    ("a", {1, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 15}),
    ("the", {1, 2, 3, 4, 6, 8, 9, 12, 13, 15, 16}),
    ("and", {4, 5, 6, 8, 10, 15}),
    ("rain and snow", {15}),  # in lower case they are words
    ("rain not heavy", {15}),
    ("oil or hail", set()),
    ("Why?", {5}),
    ("question: who", {9}),
    ("‘heavy rain’", RAIN_AND_HEAVY),  # single quotes are apostrophes
]

ENDINGS = [
    ("flooding", {1}),
    ("rained", RAIN),
    ("doctor", {3, 13}),
    ("doctors'", {3, 13}),
    ("dose", {3}),
    ("running", {5}),
    ("died", {5, 10, 13}),
    ("say", {1, 2, 6, 8, 9, 12, 13, 16}),
    ("said", {1, 2, 8, 9, 12, 13, 16}),  # says in 6 stands in an article in French
    ("cities", {9}),
    ("climbing", {4}),
    ("analyst", {4, 12}),
    ("prisoner", {2}),
    ("worker", {13, 16}),
    ("snows", {10, 15}),
    ("dug", {10}),  # digging
    ("Brazilian", set()),
    ('"heavy rains"', set()),  # in quotes as it is written
    ('"cut rate"', set()),
    ('"cut rates"', set()),
    ('"cuts rates"', {12}),
    ('"cup finals"', set()),
    ('"cup final"', {16}),
]

AS_WRITTEN = [
    ('"prisoner"', set()),
    ('"prisoners"', {2}),
    ('"PRISONERS"', {2}),
    ('"art"', {8, 9}),
    ('"artist"', set()),
    ('"artists"', {9}),
    ('"paint"', set()),
    ("paint", {9}),
    ('"painting"', {9}),
    ('"doctor"', {13}),
    ('"doctors"', {3, 13}),
    ('"flood"', set()),
    ('"cafe"', {6}),
    ('"Café"', {6}),
    ('"pakistan"', {1, 12}),  # also as the owner of something
    ('"pakistan\'s"', {1, 12}),
    ('"dubai\'s"', {4, 16}),
    ('headline:"doctors"', {13}),
    ('body:"doctors"', {3}),
    ('-"doctors" section:Health', set()),
    ('"doctors" OR "artists"', {3, 9, 13}),
    ('"doctor said"', {13}),
    ('"doctors said"', set()),
    ('"oil worker"~2', set()),
    ('"oil cup"~1', {16}),
    ('"夜"', set()),
    ('"東京"', {14}),
]

PHRASES_WITH_PREFIXES = [
    ('"heavy rai*"', {1}),
    ('"heav* rain"', {1}),
    ('"hea* rai*"', {1, 15}),
    ('"heavy rai*"~1', {1, 16}),
    ('"*avy rain"', {1}),
    ('"h*y r*n"', {1}),
    ('"abu dha*"', {8}),
    ('"central bank cut*"', {12}),
    ('"central ban* cut"', set()),
    ('"doc* war*"', {13}),
    ('"heavy zz*"', set()),
    ('headline:"doc* war*"', {13}),
    ('body:"doc* war*"', set()),
    ('"prisoner*"', {2}),
    ('"mosquit* nine*"', {13}),
]

NEARNESS = [
    ("heavy NEAR/1 rain", {1}),
    ("rain NEAR/1 heavy", {1}),
    ("heavy NEAR/2 rain", {1, 16}),
    ("rain w/2 heavy", {1, 16}),
    ("rain W/2 heavy", {1, 16}),
    ("streets w/3 rain", {1}),
    ("rain w/2 streets", set()),
    ("rain* w/3 (capital OR street*)", {1}),
    ('"heavy rain" w/3 streets', {1}),
    ('streets w/2 "heavy rain"', set()),
    ("rain w/1 rain", {16}),
    ("captain w/1 captain", set()),
    ("dengue w/4 monsoon", set()),
    ("monsoon w/5 dengue", {13}),
    ("hail w/2 (snow OR oil)", {10}),
    ("(hail w/2 snow) w/3 paulo", set()),
    ("(hail w/2 snow) w/4 paulo", {10}),
    ("hail w/2 snow w/2 fell", {10}),
    ("days w/50 army", set()),  # one bullet and the next
    ("islamabad w/50 streets", set()),  # headline and body
    ("headline:(rain w/2 islamabad)", {1}),
    ("body:(rain w/2 islamabad)", set()),
    ("*ain w/2 hea?y", {1, 16}),
    ("rian~ w/2 heavy", {1, 16}),
    ("(heavy w/2 rain)^2 -final", {1}),
    ("-heavy w/2 rain section:World", {2, 7, 10, 14}),
    ("xylophone w/9 rain", set()),
]

WILDCARDS = [
    ("*ain", RAIN),
    ("*stan", {1, 12}),
    ("*STAN*", {1, 12}),
    ("r*n", RAIN),
    ("ra?n", RAIN),
    ("?ain", RAIN),
    ("h?il", {10}),
    ("s*l", {1, 5, 10, 11}),  # school, and schools by their stem
    ("*zz*", set()),
    ("-*a*", {7, 14}),
    ("headline:*ain", {1, 15}),
    ("*ain -heavy", {2, 8}),
    ("source:*news", {1, 2, 5, 10}),
    ("section:*o*d", {1, 2, 7, 10, 14}),
]

ACCENTS = [
    ("café", {6}),
    ("CAFÉ", {6}),
    ("cafe", {6}),
    ("cafe\u0301", {6}),
    ("naive creme", {6}),
    ("francois", {6}),
    ("nino", {11}),
    ("MANANA", {11}),
    ("Málaga", {11}),
    ("málagá", {11}),
    ('"sao paulo"', {10}),
    ("São-Paulo", {10}),
    ("ｒａｉｎ", RAIN),
    ("قطر", {7}),
    ("قَطَر", {7}),
    ("قطر مصر", {7}),
    ('"تفوز على"', {7}),
    ('"على تفوز"', set()),
    ("القاهرة OR hail", {7, 10}),
    ("-قطر section:World", {1, 2, 10, 14}),
    ("東京", {14}),
    ("京東", set()),
    ("大雪", {14}),
    ("東京 雪", {14}),
]

NEWS = [
    ("U.S.", {2}),
    ("US", {2}),
    ("u.s", {2}),
    ("us-led", set()),
    ("US-led", {2}),
    ("Covid-19", {3}),
    ("COVID‑19", {3}),  # a hyphen that does not break
    ("covid", {3, 13}),
    ("covid 19", {3}),
    ("19-covid", set()),
    ("covid19", set()),
    ("C++", {5}),
    ("c#", {5}),
    ("C", set()),
    ("R&D", {5}),
    ("$1 billion", {4}),
    ("$1", {4}),
    ('"$1 billion"', {4}),
    ("1,000,000,000", set()),
    ("5,000", {2}),
    ("5000", {2}),
    ("5.8", {4}),
    ("4.9%", {12}),
    ("20%", {3}),
    ("3", {15, 16}),
    ("3-0", {16}),
    ("0-3", set()),
    ("3 0", {16}),
    ("nine", {10, 11}),  # the Spanish niño of 11 has the same stem
    ("March 19", {3}),
    ("19 March", {3}),
    ('"19 March"', set()),
    ("Pakistan", {1, 12}),
    ("Pakistan's", {1, 12}),
    ("Pakistan’s", {1, 12}),
    ("Dubai's", {4, 16}),
    ("O'Neill", {4, 16}),
    ("O’NEILL", {4, 16}),
    ("O'Neill's", {4, 16}),
    ("oneill", set()),
    ("c'est", {6}),
    ("intra-Afghan", {2}),
    ("afghan-intra", set()),
    ("state-of-the-art", {8, 9}),
    ("e-mail", {15}),
    ("email", set()),
    ("mail", {15}),
    ("trial@example.org", {3}),
    ("bob.smith@mail.example.com", {15}),
    ("@example.org", {3, 15}),
    ("https://example.org/help", {15}),
]

PHRASES = [
    ('"heavy rain"', {1}),
    ('"rain heavy"', set()),
    ('"HEAVY  Rain"', {1}),
    ('"heavy, rain"', {1}),
    ("“heavy rain”", {1}),
    ("„heavy rain“", {1}),
    ("«heavy rain»", {1}),
    ('“heavy rain"', {1}),
    ('"rain"', RAIN),
    ('"heavy rain" capital', {1}),
    ('"heavy rain" "cup final"', set()),
    ('"heavy rain" OR "cup final"', {1, 16}),
    ('rain"heavy snow"', {15}),
    ('"monday we lost"', {1}),
    ('"c’est la vie"', {6}),
    ('"state of the art"', {8, 9}),
    ('"the the"', set()),
    ('"rain rain rain rain"', {16}),
    ('"rain rain rain rain rain"', set()),
    ('"shut for two days"', {1}),
    ('"days army"', set()),  # a bullet ends there
    ('"percent analysts"', set()),
    ("percent analysts", {4}),
    ('"islamabad schools"', set()),  # and there a headline
    ('"twice hamilton"', set()),
    ('"NOT or OR"', {9}),
    ('"heavy \\"snow\\""', {15}),
    ('"heavy rain"~0', {1}),
    ('"heavy rain"~1', {1, 16}),
    ('"rain heavy"~5', set()),
    ('"state art"~1', set()),
    ('"state art"~2', {8, 9}),
    ('"art state"~2', set()),
    ('"cup rain"~5', set()),
    ('"cup rain"~6', {16}),
    ('"dengue monsoon"~3', set()),
    ('"dengue monsoon"~4', {13}),
    ('"hail fell paulo"~3', set()),
    ('"hail fell paulo"~4', {10}),
    ('"two army"~50', set()),
]

OPERATORS = [
    ("rain AND heavy", RAIN_AND_HEAVY),
    ("rain && heavy", RAIN_AND_HEAVY),
    ("+rain +twice", {8, 16}),
    ("rain OR snow", RAIN | {10}),
    ("rain || snow", RAIN | {10}),
    ("rain||snow", RAIN | {10}),
    ("rain|snow", RAIN | {10}),
    ("rain&&heavy", RAIN_AND_HEAVY),
    ("rain !heavy", {2, 8}),
    ('rain !"heavy rain"', RAIN - {1}),
    ("!(rain OR heavy)", ALL - RAIN - {4}),
    ("rain AND !heavy", {2, 8}),
    ("!-rain heavy", RAIN_AND_HEAVY),
    ("hail OR oil OR café", {4, 6, 10, 16}),
    ("rain -heavy", {2, 8}),
    ("rain NOT heavy", {2, 8}),
    ("rain AND NOT heavy", {2, 8}),
    ("-heavy rain", {2, 8}),
    ("NOT rain heavy", {4}),
    ("-rain", ALL - RAIN),
    ("NOT rain", ALL - RAIN),
    ("NOT NOT hail", {10}),
    ("-(-hail)", {10}),
    ("-rain -heavy", ALL - RAIN - {4}),
    ("NOT rain OR heavy", ALL - {2, 8}),
    ("NOT (rain OR heavy)", ALL - RAIN - {4}),
    ("-(rain heavy)", ALL - RAIN_AND_HEAVY),
    ("oil OR -said", (ALL - {1, 2, 8, 9, 12, 13, 16}) | {3, 16}),
    ('rain -"heavy rain"', RAIN - {1}),
    ("rain -Covid-19", RAIN),
    ("covid -Covid-19", {13}),
    ("snow OR rain heavy", RAIN_AND_HEAVY | {10}),
    ("rain heavy OR hail", RAIN_AND_HEAVY | {10}),
    ("(snow OR rain) heavy", RAIN_AND_HEAVY),
    ("rain OR snow AND hail", RAIN | {10}),
    ("rain snow OR oil billion", {4, 15}),
    ("rain (snow OR oil) billion", set()),
    ("rain (snow OR twice)", {8, 15, 16}),
    ("rain(heavy)", RAIN_AND_HEAVY),
    ("(rain (heavy OR twice)) -snow", {1, 8, 16}),
    ("((oil OR hail) (twice OR storm)) OR café", {6, 10, 16}),
    ("oil AND (rain OR billion) AND NOT 3-0", {4}),
    ("rain -(heavy -(snow OR captain))", {2, 8, 15, 16}),
    ("(((((hail)))))", {10}),
    ("*", ALL),
    ("* -rain", ALL - RAIN),
    ("-*", set()),
    ("* OR rain", ALL),
]

ESCAPES = [
    (r"rain\*", RAIN),
    (r"\-rain", RAIN),
    (r"\NOT", {9, 15}),
    ('"NOT"', {9, 15}),
    ('"OR"', {9, 15}),
    ("or", {9, 15}),
    (r"\AND", {4, 5, 6, 8, 10, 15}),
    (r"rain \OR hail", set()),
    (r"rain \OR snow", {15}),
    (r"\(brackets\)", {15}),
    (r"\"heavy rain\"", RAIN_AND_HEAVY),
    (r"headline\:rain", {15}),
    ('"headline:rain"', {15}),
    ('"help?q=rain"', {15}),
    (r"a\^2", {15}),
    ('"(Reuters)"', {3}),
]

PREFIXES = [
    ("rain*", RAIN),
    ("snow*", {10, 15}),
    ("SNOW*", {10, 15}),
    ("snowf*", {10}),
    ("doctor*", {3, 13}),
    ("doctors*", {3, 13}),
    ("art*", {8, 9}),
    ("pain*", {9}),
    ("vo*", {3, 4}),
    ("nin*", {10, 11, 13}),
    ("is*", {1, 2, 9, 10, 15}),
    ("5*", {2, 4, 12}),
    ("U.S.*", {2}),
    ("caf*", {6}),
    ("Café*", {6}),
    ("o'n*", {4, 16}),
    ("قط*", {7}),
    ("zz*", set()),
    ("snow* -snowf*", {15}),
    ("doc* OR hai*", {3, 10, 13}),
]

TYPING_ERRORS = [
    ("rian~", RAIN),
    ("rian~1", RAIN),
    ("hial~", {3, 10}),  # hail, vial
    ("vial~1", {3}),
    ("docter~1", {3, 13}),  # doctors by their stem, which is in another segment
    ("docter~", {3, 13}),
    ("Afgan~", {2}),
    ("ilsamabad~", {1}),
    ("nien~", {10, 11}),
    ("monsoom~2", {1, 13}),
    ("monsxxm~1", set()),
    ("hamiltons~1", {8}),
    ("crême~1", {6}),
    ("xyzzy~2", set()),
    ("rian~ -heavy", {2, 8}),
]

ZONES = [
    ("headline:rain", {1, 15}),
    ("HEADLINE:Rain", {1, 15}),
    ("headline: rain", {1, 15}),
    ("headline: (rain OR oil)", {1, 4, 15, 16}),
    ("headline:*rain", {1, 15}),
    ("headline:@rain", {1, 15}),
    ("body:rain", {1, 2, 15, 16}),
    ("summary:rain", {8}),
    ("caption:rain", set()),
    ("caption:cafe", {6}),
    ("caption:hamilton", {8}),
    ("body:hamilton", set()),
    ("summary:rescue", {1}),
    ("headline:Covid-19", {3}),
    ("body:covid", {13}),
    ("body:Covid-19", set()),
    ("headline:3-0", {16}),
    ('headline:"Abu Dhabi"', {8}),
    ('body:"heavy rain"~1', {1, 16}),
    ('headline:"heavy rain"~1', set()),
    ('summary:"days army"~9', set()),
    ("headline:docto*", {13}),
    ("headline:rian~", {1, 15}),
    ("headline:(oil -billion)", {16}),
    ("headline:(rain heavy)", set()),
    ("summary:(rain OR rupee)", {8, 12}),
    ("headline:rain body:streets", {1}),
    ("headline:rain streets", {1}),
    ("streets -caption:streets", {1}),
    ("-headline:rain rain", {2, 8, 16}),
    ("headline:-rain rain", {2, 8, 16}),
    ("headline:(-rain) rain", {2, 8, 16}),
    ("headline:rain OR caption:reuters", {1, 3, 15}),
]

NAMES = [
    ("place:Islamabad", {1, 12}),
    ("place:KARACHI place:islamabad", {12}),
    ("place:(Islamabad -Karachi)", {1}),
    ("place:(Dubai OR Cairo)", {4, 7, 16}),
    ('place:"Abu Dhabi"', {8}),
    ("place:abu", set()),
    ("place:Abu*", {8}),
    ('place:"Abu D"*', {8}),
    ('place:"sao paulo"', {10}),
    (r"place:São\ Paulo", {10}),
    ("place:malaga", {11}),
    ("place:東京", {14}),
    ("place:*", ALL - {9}),
    ("-place:*", {9}),
    ("place:-Riyadh oil", {16}),
    ("-place:Riyadh oil", {16}),
    ('source:"Arab News"', {1, 2, 5, 10}),
    ('source:"arab news" place:kabul', {2}),
    ("source:arab", set()),
    ('source: "Arab News" place: kabul', {2}),
    ("source:'Arab News' place:kabul", {2}),
    ('source:"Arab N*"', {1, 2, 5, 10}),
    ("!section:World oil", {4, 16}),
    ("source:The*", {4, 8, 16}),
    ('source:"asharq al awsat"', {7}),
    ("source:Al-Awsat", set()),
    ("section:World", {1, 2, 7, 10, 14}),
    ("section:Sport OR section:Culture", {6, 8, 16}),
    ("-section:*", {11}),
    ("language:ar", {7}),
    ("language:EN rain", {1, 2, 8, 16}),
    ("* -language:en", {6, 7, 11, 14, 15}),
    ('(place:Dubai OR place:"Abu Dhabi") rain', {8, 16}),
]

DATES = [
    ("published:2020", {1, 2, 3, 6, 7, 8, 16}),
    ("published:2020-05", {2, 6, 7, 16}),
    ("published:2020-05-09", {2, 7}),
    ('published:"2020-05-09"', {2, 7}),
    ("published:2022-02-28", {10}),
    ("published:[2020-05-01 TO 2020-05-31]", {2, 6, 7, 16}),
    ("published:[2020-05-10 TO 2020-08-09]", {6, 16}),
    ("published:[ 2020-05  to 2020-08 ]", {1, 2, 6, 7, 16}),
    ("published:[2021-01-05 TO 2021-06-14]", {4}),
    ("published:[* TO 2019]", {11}),
    ("published:[* TO 2020-03-31]", {3, 11}),
    ("published:[2024 TO *]", {12, 13, 14}),
    ("published:[* TO *]", ALL - UNDATED),
    ("published:*", ALL - UNDATED),
    ("-published:*", UNDATED),
    ("published:2020-05-10T20:30:00Z", {16}),
    ("published:[2020-05-10T20:30:01Z TO 2020-05-31]", {6}),
    ("published:[2020-05-10T23:30:00+03:00 TO 2020-05]", {6, 16}),
    ("published:(2019 OR 2022)", {10, 11}),
    ("published:{2020-05-09 TO 2020-08-10}", {6, 16}),
    ("published:[2020-05-09 TO 2020-08-10}", {2, 6, 7, 16}),
    ("published:{2020-05-09 TO 2020-08-10]", {1, 6, 16}),
    ("published:{2024 TO *]", {12, 13}),
    ("published:{* TO 2020}", {11}),
    ("published:-1000y", ALL - UNDATED),
    ("-published:-999999y", UNDATED),
    ("published:[-1000y TO now]", ALL - UNDATED),
    ("published:{today TO *]", set()),
    ("NOT published:2020", {4, 5, 9, 10, 11, 12, 13, 14, 15}),
    ("published:2020 rain", {1, 2, 8, 16}),
    ("rain -published:2020", {15}),
    ("published:2020-05 section:world", {2, 7}),
    ("headline:(oil OR rain) published:[2020 TO 2021]", {1, 4, 16}),
]

BOOSTS = [
    ("rain^2 heavy", RAIN_AND_HEAVY),
    ("rain OR hail^0.5", RAIN | {10}),
    ("(rain OR hail)^3 -snow", {1, 2, 8, 16}),
    ("headline:rain^2", {1, 15}),
    ("headline:(rain^2 islamabad)", {1}),
    ('"heavy rain"~1^2', {1, 16}),
    ("snow*^4", {10, 15}),
    ("rian~^2 -heavy", {2, 8}),
    ("place:Dubai^2", {4, 16}),
    ("-rain^9 heavy", {4}),
    ("*^2", ALL),
]

ANY = [
    ("rain heavy", RAIN | {4}),
    ("what do doctors say?", {1, 2, 3, 6, 8, 9, 12, 13, 16}),
    ("rain -snow", RAIN | {10}),
    ('"heavy rain" hail', {1, 10}),
    ("“heavy rain” hail", {1, 10}),
    ("NOT hail", {9, 10, 15}),
    ("hail AND AND oil", {4, 5, 6, 8, 10, 15, 16}),
    ("place:Dubai", set()),
    ("doc* vial~", {3}),
    ("(oil) ^2", {4, 15, 16}),
    ('"hail', {10}),
    ("Covid-19 café", {3, 6}),
    ("xylophone", set()),
]

TABLE: list[tuple[str, Literal["all", "any"], set[int]]] = [
    *(
        (q, "all", numbers)
        for q, numbers in (
            *WORDS,
            *ENDINGS,
            *AS_WRITTEN,
            *PHRASES_WITH_PREFIXES,
            *NEARNESS,
            *WILDCARDS,
            *ACCENTS,
            *NEWS,
            *PHRASES,
            *OPERATORS,
            *ESCAPES,
            *PREFIXES,
            *TYPING_ERRORS,
            *ZONES,
            *NAMES,
            *DATES,
            *BOOSTS,
        )
    ),
    *((q, "any", numbers) for q, numbers in ANY),
]


@pytest.fixture(scope="module", params=ENGINES)
def archive(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """An engine that holds the articles, in two segments."""
    engine = ENGINES[request.param](tmp_path_factory.mktemp("archive") / "index")
    changes = [Change(UUID(int=number), number, each) for number, each in ARTICLES.items()]
    with engine.rebuilding(UUID(int=0)) as building:
        building.apply(changes[:9], 9)
    engine.apply(changes[9:], 16)
    yield engine
    engine.close()


@pytest.mark.parametrize(("q", "match", "numbers"), TABLE)
def test_a_query_finds(
    archive: Engine, q: str, match: Literal["all", "any"], numbers: set[int]
) -> None:
    found = archive.search(Request(query=parse(q, match=match), limit=100, timeout_s=60))
    assert found.complete
    assert {hit.id.int for hit in found.hits} == numbers
    assert found.total == len(found.hits) == len(numbers)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(QUERIES)
def test_what_can_be_read_is_answered_and_marked(archive: Engine, q: str) -> None:
    try:
        tree = parse(q)
    except QueryError:
        tree = None
    found = archive.search(Request(query=tree, limit=100, timeout_s=60))
    marker = highlighter.Marker(tree)
    for hit in found.hits:
        one = ARTICLES[hit.id.int]
        marker.highlights(one.headline, one.summary, one.caption, one.body)


def test_the_table_holds_no_query_twice() -> None:
    asked = [(q, match) for q, match, _ in TABLE]
    assert len(asked) == len(set(asked))
