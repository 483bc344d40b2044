"""A small judged set: invented articles, and queries with the grades of the articles for them.

Each query stands in a group named for what ranking has to get right in it. Grades are 3
(what was looked for) to 1 (has to do with it); what is not listed is beside the point.
"""

from __future__ import annotations

from typing import Literal, NamedTuple


class Judged(NamedTuple):
    """A query: all of its words or any of them, and the grades of articles by their keys."""

    group: Literal["rare", "length", "zone", "ending", "together"]
    words: Literal["all", "any"]
    text: str
    grades: dict[str, int]


class Story(NamedTuple):
    """An article."""

    headline: str
    body: str
    summary: str = ""
    caption: str = ""


STORIES = {
    # The flood.
    "flood": Story(
        "River Ardin floods three villages",
        "The Ardin rose four metres in a night after two days of rain. Firemen took families out "
        "of their houses by boat. In Kelm the water stands a metre deep.",
        "Hundreds leave their homes",
        "Boats in the streets of Kelm",
    ),
    "claims": Story(
        "Insurers count the cost in Kelm",
        "Claims have reached forty million crowns, the insurers said on Friday. Cellars and cars "
        "make up most of the sum. The minister said that nobody would be left alone.",
        "After the flood come the bills",
    ),
    "dam": Story(
        "Work on the Ardin dam begins",
        "Builders broke ground above Kelm on Monday. The dam is to hold back the water of a "
        "spring such as the last one. It will cost ninety million crowns.",
        caption="The valley that will become a lake",
    ),
    "rain": Story(
        "Wettest March since records began",
        "The weather office measured more rain than in any March since 1871. April, the office "
        "said, is likely to be dry.",
    ),
    "train": Story(
        "Night train to Kelm cancelled",
        "The railway has cancelled the night train for a week. The track lies under the flood "
        "between Kelm and Osten. Buses run twice a day.",
    ),
    # The railway.
    "walkout": Story(
        "Railway strike begins at midnight",
        "Drivers stop work for two days. They ask for six per cent more pay. The railway has "
        "offered four. Every third train will run.",
        "Two days without most trains",
    ),
    "talks": Story(
        "Railway and drivers meet again",
        "Both sides came back to the table on Tuesday, a week after the last strike. The drivers "
        "would strike again, their leader said, and strike longer, if nothing was offered.",
    ),
    "bus": Story(
        "More buses for the north",
        "From May a bus goes to Osten every hour. The county pays for it. The railway will not "
        "be sorry to lose the line, which lost money even before the strike.",
    ),
    "timetable": Story(
        "New timetable in force",
        "The summer timetable has two more connections to the coast. The bridge at Osten is "
        "closed to trains until June.",
    ),
    # Ministers who say things.
    "bees": Story(
        "Help for beekeepers",
        "Every second hive was lost in the cold, the minister said in Vell. Beekeepers will get "
        "eighty crowns a hive. The honey of this year will be dear.",
        "Eighty crowns for a lost hive",
    ),
    "hives": Story(
        "What a beekeeper does in winter",
        "Nothing, for the most part. A hive that is opened in January is lost. The keeper listens "
        "at the wall, and what is heard there must be enough.",
    ),
    "taxes": Story(
        "Minister: no new taxes this year",
        "There would be none, the minister did say at noon. What the farmers would pay for their "
        "water the minister did not say, nor what was said about it in the council.",
    ),
    "schools": Story(
        "Minister opens school",
        "The minister did open the new school in Vell. What the minister did say about the roof, "
        "which lets in the rain, was short: it would be seen to.",
    ),
    "roads": Story(
        "No money for the roads",
        "Some would be mended, and some closed. About the bridge at Osten nobody would say a "
        "word until the engineers did.",
    ),
    # The vaccine.
    "vaccine": Story(
        "Measles vaccine for all children",
        "From autumn every child of two years will be vaccinated against measles. Parents may "
        "refuse. Last year forty children fell ill, one died.",
        "Doctors welcome the plan",
    ),
    "outbreak": Story(
        "Eleven ill with measles in Vell",
        "The school has been closed for a week. None of the eleven had been vaccinated, the "
        "county doctor said.",
    ),
    "laboratory": Story(
        "Laboratory gets a new wing",
        "In it vaccines against influenza will be made from next year. Sixty people will work "
        "there. The county has waited long for the building.",
    ),
    "cattle": Story(
        "Vets vaccinate cattle at the border",
        "Twelve thousand cows are to be vaccinated by Easter. The illness does not harm people.",
    ),
    # The museum.
    "theft": Story(
        "Thieves take gold crown from museum",
        "Two men broke a window of the town museum on Sunday night and were gone in three "
        "minutes. The crown of 1340 was never insured, being beyond price.",
        "It took them three minutes",
        "The empty case",
    ),
    "arrest": Story(
        "Two held over stolen crown",
        "Police arrested a goldsmith and his nephew in Osten. The crown was not found. It may "
        "have been melted down, a detective said.",
        "Goldsmith of Osten questioned",
    ),
    "exhibition": Story(
        "Museum shows glass of five centuries",
        "Three hundred cups and windows are on show until August. On Sundays children come in "
        "free. After the theft of the winter the guards are twice as many.",
    ),
    "coins": Story(
        "Crown falls against the dollar",
        "The crown lost two per cent on Thursday. Gold rose. Dealers spoke of nerves before the "
        "election, and of a new bank.",
    ),
    # The election.
    "election": Story(
        "County election on Sunday",
        "Nine parties stand in the election of the county council. The farmers' party has "
        "governed since 1998. Polling stations open at seven.",
        "Nine parties, sixty seats",
    ),
    "result": Story(
        "Farmers' party loses its majority",
        "With all votes counted the party has 28 of sixty seats. Its leader speaks of a bitter "
        "evening. Talks begin on Monday.",
        "Closest election in the county's history",
    ),
    "mayor": Story(
        "Mayor of Vell will not stand again",
        "After sixteen years Anna Brandt goes. She wants to sail, she said. Her deputy is likely "
        "to run in the election of the autumn.",
        caption="Anna Brandt on her boat",
    ),
    # The harbour.
    "ferry": Story(
        "Island cut off for a third day",
        "The ferry stays in harbour. Waves of five metres were measured. Bread is short, the "
        "island's shop said, and milk is gone. The next ferry may sail on Sunday.",
    ),
    "harbour": Story(
        "A year in the harbour",
        "In spring the boats are painted. There is a smell of tar, and the masters quarrel over "
        "the crane. The ferry comes at nine and goes at ten, as it has since the war. In summer "
        "come the guests with their cars and their dogs, and ask when the ferry goes. The harbour "
        "master, who has a board on which it is written, points to the board. Herring is sold "
        "from the quay on Fridays; on other days there is plaice, and when there is nothing there "
        "is talk. In autumn the nets are mended. The sheds are let to a man who builds violins, "
        "and one hears him try them in the evening, always the same four notes. Then the storms "
        "come, and the ferry lies at the quay with double ropes. The café stays open for the "
        "three men who play cards there. One of them was the master of the old ferry. He says "
        "that it had no heating and that nobody complained. In winter the basin freezes at the "
        "edge, the gulls stand on the ice in a row, and the town forgets that it has a harbour. "
        "Then somebody paints a boat, and it is spring.",
        "Tar, herring, violins and ice",
    ),
    "boat": Story(
        "Old boat finds a new home",
        "The wooden boat of 1911 goes to the island's museum. It carried the post before there "
        "was a ferry. Children may climb on it.",
    ),
    # Power.
    "solar": Story(
        "Solar park on the old airfield",
        "Forty hectares of panels will feed nine thousand houses. The council voted for the park "
        "by one voice. Larks nest there, the bird society said.",
        "Nine thousand houses from the sun",
    ),
    "roof": Story(
        "Sun on the roof of the brewery",
        "The brewery makes a third of its power itself, from solar panels on its roof. The beer "
        "costs the same.",
    ),
    "energy": Story(
        "A long look at where our power comes from",
        "For a hundred years it came from coal, and from a hill that is no longer there. The "
        "miners' houses stand, with gardens in front; the shafts are full of water. When the last "
        "shift came up, a band played, and the minister wore a helmet. Then came gas, in a pipe "
        "from far away, and nobody asked what lay at its other end. The stoves were taken out. "
        "There was a plan for a reactor on the coast; a meadow was bought for it, and on the "
        "meadow there are cows to this day. The wind came next, ten mills at first and then two "
        "hundred, and the quarrels came with them, over noise, over shadows and over who is paid. "
        "A solar park was spoken of as early as 1996. It was thought a joke, because of the fog. "
        "The engineers who laughed have since put panels on their own houses. What will come is "
        "hard to say. Batteries the size of barns, the county thinks; less heating, its poorer "
        "people answer. At the mill by the river a wheel turns, for the guests, and lights one "
        "lamp.",
    ),
    "park": Story(
        "Town park gets new benches",
        "Thirty benches of oak were set up in the park. Each bears the name of a giver. Dogs stay "
        "on the lead.",
    ),
    # Sport, courts, and the rest.
    "football": Story(
        "Vell win the cup at last",
        "Two late goals beat Osten in the rain. It is the first cup for Vell since 1962. The "
        "party went on until the morning.",
        caption="The captain with the cup",
    ),
    "tea": Story(
        "Cup by cup",
        "A tea house opens in the old post office. There are sixty sorts. A cup costs three "
        "crowns, a cake two, and a second cup is free.",
    ),
    "chess": Story(
        "Girl of eleven beats chess master",
        "Mira Holt needed forty moves. The master asked for another game and lost it too.",
    ),
    "court": Story(
        "Judge rejects claim against county",
        "A farmer had claimed ten million crowns for land that the county flooded on purpose. "
        "The court found that he had been paid before.",
    ),
    "bank": Story(
        "Two savings banks merge",
        "The banks of Vell and Osten become one. No branch closes. The river bank site, where the "
        "new office was to stand, will be sold.",
    ),
    "walk": Story(
        "Along the bank of the river",
        "A walk of nine kilometres, from the mill to the bridge. On the far bank herons stand. "
        "Take boots: the path is wet after rain.",
        caption="The mill from the other bank",
    ),
    "visit": Story(
        "County leader at the White House",
        "Nine leaders of counties and towns were shown the garden, were given tea and were asked "
        "about the herring. It rained. Nobody spoke of the tariffs that they had come for.",
    ),
    "paint": Story(
        "A house in white",
        "The old chemist's on the market is painted. It had been grey for forty years, and "
        "nobody knew why. The painter took a week.",
    ),
    "prices": Story(
        "Bread and milk dearer again",
        "Bread costs a fifth more than a year ago, milk a sixth. The bakers blame the price of "
        "power, the dairies that of feed.",
    ),
}

QUERIES = (
    Judged("rare", "any", "what is the state to do for the beekeepers", {"bees": 3, "hives": 2}),
    Judged("rare", "any", "is there anything in the news about chess", {"chess": 3}),
    Judged("rare", "any", "what will the weather be in April", {"rain": 3}),
    Judged("rare", "any", "who is it that makes the violins in the town", {"harbour": 3}),
    Judged(
        "rare",
        "any",
        "is there a vaccine against the measles for the children in the county",
        {"vaccine": 3, "outbreak": 2, "laboratory": 1, "cattle": 1},
    ),
    Judged(
        "rare",
        "any",
        "how much more does the milk cost than a year ago",
        {"prices": 3, "ferry": 1},
    ),
    Judged(
        "rare",
        "any",
        "where was it that the gold of the museum was hidden",
        {"theft": 3, "arrest": 2},
    ),
    Judged("length", "all", "ferry", {"ferry": 3, "boat": 2, "harbour": 1}),
    Judged("length", "all", "solar panels", {"roof": 3, "solar": 3, "energy": 1}),
    Judged("length", "any", "guests and their cars", {"harbour": 2, "claims": 1, "energy": 1}),
    Judged("length", "all", "county council election", {"election": 3}),
    Judged("zone", "all", "strike", {"walkout": 3, "talks": 2, "bus": 1}),
    Judged("zone", "all", "flood", {"flood": 3, "claims": 2, "train": 1, "court": 1}),
    Judged("zone", "all", "museum", {"theft": 3, "exhibition": 3, "boat": 1}),
    Judged("zone", "all", "cup", {"football": 3, "tea": 3, "exhibition": 1}),
    Judged("zone", "all", "boat", {"boat": 3, "flood": 2, "mayor": 2, "harbour": 1}),
    Judged(
        "ending", "all", "vaccinating", {"cattle": 3, "vaccine": 3, "outbreak": 2, "laboratory": 2}
    ),
    Judged("ending", "all", "elections", {"election": 3, "result": 3, "mayor": 2, "coins": 1}),
    Judged("ending", "any", "insurer's claim", {"claims": 3, "court": 2, "theft": 1}),
    Judged("together", "any", "solar park", {"solar": 3, "energy": 2, "roof": 1, "park": 1}),
    Judged("together", "any", "river bank", {"bank": 2, "walk": 3, "flood": 1, "energy": 1}),
    Judged("together", "any", "white house", {"visit": 3, "paint": 1}),
)
