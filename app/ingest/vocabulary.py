"""The closed lists of words that the page readers go by: agencies, labels, regions, furniture.

Data only, one list a decision. Lists of lines are compared by `normal.key`, lists in capitals
as printed in capitals.
"""

from __future__ import annotations

from app.ingest.normal import key


def _lines(text: str) -> frozenset[str]:
    return frozenset(key(line) for line in text.strip().replace("\n", "|").split("|"))


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.replace("\n", " ").split(","))


AGENCIES = (
    *("AFP", "AP", "Reuters", "SPA", "EPA", "EFE", "ANSA", "DPA", "TASS", "Xinhua", "Anadolu"),
    *("AA", "WAM", "KUNA", "BNA", "QNA", "PETRA", "MENA", "IRNA", "APP", "PID", "ISPR", "PTI"),
    *("ANI", "Getty Images", "Getty", "Shutterstock", "AN", "Arab News", "Bloomberg"),
    *("Agence France-Presse", "The Associated Press", "Associated Press", "Saudi Press Agency"),
)
"""Who is credited without brackets."""

CREDIT_SIGNS = (
    *("photo", "courtesy", "courtsey", "supplied", "handout", "hand-out", "credit", "image"),
    *("screenshot", "screen shot", "screengrab", "screen grab", "social media", "twitter"),
    *("facebook", "instagram", "youtube", "wikimedia", "wikipedia", "via ", "@"),
)
"""What makes a bracket at a caption's end a credit, wherever in it this stands."""

POSITIONS = _words("""
    l r c left right center centre top bottom above below back front middle foreground background
    first second third fourth fifth sixth 1st 2nd 3rd 4th 5th 6th clockwise pictured seated
    standing unseen unpictured file
""")
"""What brackets in a caption say of where somebody stands."""

SMALL_WORDS = _words("of the and for to in on from a an de la al")

NEEDS_AGENCY = _words("""
    to with told by for from of the at and via said tells in on a an agency agencies says that as
    or are is
""")
"""Words after which an agency's name is part of the sentence."""

PARTICLES = _words("""
    de del della delle di da do dos das du des es of the and en sur am au aux on upon under der
    den von e y
""")
"""Small words inside the names of places."""

ACRONYMS = _words("UAE UK US USA DC NYC KPK UN")

NEVER_FIRST = _words("""
    A AN THE THIS THAT THESE THOSE WHY HOW WHAT WHO WHEN WHERE WHICH IF AND BUT BY FROM WITH IT WE
    YOU I HE SHE THEY NO NOT ABOUT ALSO BEHIND BREAKING CHAPTER CLICK DAY DID DON'T DON’T EXPLAINED
    FAST FIRST FOLLOW FOR FULL GROUP IN INSIDE IS JUST LATEST LISTEN LIVE MEET MORE MUST NEWS ON
    OPEN OUR PART PLUS QUICK READ ROUND SEE SPECIAL STAY TO TODAY TODAY'S TODAY’S UPDATED WATCH
    YOUR
""")
"""Words in capitals that open an editor's label, not the name of a place."""

NEVER_LAST = _words("""
    ALERT ANALYSIS ANSWER ANSWERS EXCLUSIVE FACT FACTS INTERVIEW LINE NEWS NOTE NOTES NUMBERS
    OPINION POINT POINTS QUESTION QUESTIONS READ REPORT RESULT RESULTS REVIEW STORIES STORY TIME
    TIMELINE UPDATE UPDATES VIDEO VIEW WARNING ALSO BRIEF CUP ED EXPLAINER EXPLAINED FIRST GALLERY
    GUIDE HERE HIGHLIGHTS INFO KNOW LETTER LIST LIVE PHOTOS PICTURES PREVIEW PROFILE QUOTES RECAP
    STATS TEXT TRANSCRIPT
""")
"""Words in capitals that close one."""

NEVER_ALONE = (
    NEVER_FIRST
    | NEVER_LAST
    | _words("""
    ABOUT ADVICE ALSO ATTENTION AUTHOR BACKGROUND BREAKING BRIEFING CAPTION CAUTION CLARIFICATION
    COLUMN COMMENT CONCLUSION CONTEXT CORRECTION COVID CREDIT DANGER DATE DISCLAIMER EDITOR
    EDITORIAL EDITORS EXPLAINED EXPLAINER FACTBOX FAQ FEATURE FILE FINAL FIRST FLASH FOCUS FOLLOW
    HEADLINE IMF IMPORTANT INSIGHT INTRODUCTION KEY LATEST LIVE MORE NATO NEW NOTICE NOW OBITUARY
    ON OPEC OVERVIEW PHOTO PHOTOS PLUS PODCAST POLL PROFILE PROLOGUE QUOTE RATING RECIPE REVEALED
    RULE SCORE SOURCE SPOILER SPOTLIGHT STEP SUMMARY TAGS TEASER TIP TIPS TITLE TODAY TOP TOPIC
    TRIVIA UPDATED URGENT VERDICT WATCH WRITER YES
    ABOVE AUDIO BELOW BUSINESS CAST CHAPTER CLUES COMMENTARY CONS DAY DECODER DETAILS DEVELOPING
    DIRECTIONS DIRECTOR ECONOMY EMAIL FACEBOOK FACTOID FALSE FILM GENRE GROUP HIGHLIGHT INGREDIENTS
    INSTAGRAM LEFT LENGTH LIFESTYLE LISTEN LOCATION LOSER LOSERS MATCH METHOD MYTH NAME NAMES
    NEWSLETTER OPENER OP-ED PART PERSONALITY PHONE PICTURE PICTURED PREDICTION PRICE PROS PUBLISHER
    QUIZ RECOMMENDATION RECOMMENDED RELATED RIGHT ROUND ROUNDUP ROUND-UP RULES SCORES SECTION
    SERVES SIDEBAR SPECIAL SPECS SPORT SPORTS STARRING STATEMENT STATISTICS TEAM TEAMS THEME TODAY’S
    TRANSLATION TRANSLATOR TRUE TRUTH TWITTER VENUE WEBSITE WINNER WINNERS WORLD YEAR
    AFC ARAMCO ASEAN BBC BRICS CIA CNN FBI FBR FIFA GCC IAEA ICC ICRC IOC ISPR NASA OECD OIC OCHA
    PCB PIA PML PPP PTI SAARC TTP UEFA UNESCO UNHCR UNICEF UNRWA WFP WTO
""")
)
"""Words in capitals that an editor sets before a colon and that name no place."""

UNDER_WAY = ("ABOARD ", "ON BOARD ", "ONBOARD ", "ON THE ROAD ", "AT SEA")
"""How a dateline in capitals begins that names no place."""

STILL_PLACES = frozenset({"THE HAGUE", "THE VALLEY", "NEWPORT NEWS"})

REGIONS = _names("""
    AFGHANISTAN, ALBANIA, ALGERIA, ANGOLA, ANTIGUA AND BARBUDA, ARGENTINA, ARMENIA, AUSTRALIA,
    AUSTRIA, AZERBAIJAN, BAHAMAS, BAHRAIN, BANGLADESH, BELARUS, BELGIUM, BENIN, BOLIVIA,
    BOSNIA AND HERZEGOVINA, BOSNIA, BOTSWANA, BRAZIL, BRITAIN, BULGARIA, BURKINA FASO, BURUNDI,
    CAMBODIA, CAMEROON, CANADA, CHAD, CHILE, CHINA, COLOMBIA, CONGO, COSTA RICA, CROATIA, CUBA,
    CYPRUS, CZECH REPUBLIC, DENMARK, DOMINICAN REPUBLIC, ECUADOR, EGYPT, EL SALVADOR, ENGLAND,
    ERITREA, ESTONIA, ETHIOPIA, FIJI, FINLAND, FRANCE, GABON, GAMBIA, GEORGIA, GERMANY, GHANA,
    GREECE, GUATEMALA, GUINEA, GUYANA, HAITI, HONDURAS, HUNGARY, ICELAND, INDIA, INDONESIA, IRAN,
    IRAQ, IRELAND, ISRAEL, ITALY, IVORY COAST, JAMAICA, JAPAN, JORDAN, KAZAKHSTAN, KENYA, KOSOVO,
    KSA, KYRGYZSTAN, LAOS, LATVIA, LEBANON, LIBERIA, LIBYA, LITHUANIA, MADAGASCAR, MALAWI,
    MALAYSIA, MALDIVES, MALI, MALTA, MAURITANIA, MAURITIUS, MEXICO, MOLDOVA, MONGOLIA, MONTENEGRO,
    MOROCCO, MOZAMBIQUE, MYANMAR, NAMIBIA, NEPAL, NETHERLANDS, NEW ZEALAND, NICARAGUA, NIGER,
    NIGERIA, NORTH KOREA, NORTH MACEDONIA, NORTHERN IRELAND, NORWAY, OMAN, PAKISTAN, PALESTINE,
    PANAMA, PARAGUAY, PERU, PHILIPPINES, POLAND, PORTUGAL, PUERTO RICO, ROMANIA, RUSSIA, RWANDA,
    SAUDI ARABIA, SAO TOME AND PRINCIPE, SCOTLAND, SENEGAL, SERBIA, SIERRA LEONE, SLOVAKIA,
    SLOVENIA, SOMALIA, SOUTH AFRICA, SOUTH KOREA, SOUTH SUDAN, SPAIN, SRI LANKA, SUDAN, SWEDEN,
    SWITZERLAND, SYRIA, TAIWAN, TAJIKISTAN, TANZANIA, THAILAND, TOGO, TRINIDAD AND TOBAGO,
    TUNISIA, TURKEY, TURKIYE, TURKMENISTAN, UAE, UGANDA, UK, UKRAINE, UNITED ARAB EMIRATES,
    UNITED KINGDOM, UNITED STATES, URUGUAY, US, USA, UZBEKISTAN, VENEZUELA, VIETNAM, WALES, YEMEN,
    ZAMBIA, ZIMBABWE, WEST BANK, GAZA STRIP, ANDAMAN AND NICOBAR ISLANDS, SAINT KITTS AND NEVIS,
    ST. KITTS AND NEVIS, TURKS AND CAICOS ISLANDS, JAMMU AND KASHMIR, TYNE AND WEAR, ALABAMA,
    ALASKA, ARIZONA, ARKANSAS, CALIFORNIA, COLORADO, CONNECTICUT, DELAWARE, D.C., DC, FLORIDA,
    HAWAII, IDAHO, ILLINOIS, INDIANA, IOWA, KANSAS, KENTUCKY, LOUISIANA, MAINE, MARYLAND,
    MASSACHUSETTS, MICHIGAN, MINNESOTA, MISSISSIPPI, MISSOURI, MONTANA, NEBRASKA, NEVADA,
    NEW HAMPSHIRE, NEW JERSEY, NEW MEXICO, NORTH CAROLINA, NORTH DAKOTA, OHIO, OKLAHOMA, OREGON,
    PENNSYLVANIA, RHODE ISLAND, SOUTH CAROLINA, SOUTH DAKOTA, TENNESSEE, TEXAS, UTAH, VERMONT,
    VIRGINIA, WEST VIRGINIA, WISCONSIN, WYOMING, ONTARIO, QUEBEC
""")
"""Countries and states that follow a city after a comma, or hold an "and" of their own."""

SHARE = _lines("""
Share|Share this|Share this article|Share on Facebook|Share on Twitter|Share on WhatsApp
Share on LinkedIn|Tweet|Print|Print this|Email|E-mail|Mail|Facebook|Twitter|WhatsApp|LinkedIn
Pinterest|Telegram|Google+|Reddit|Instagram|YouTube|Messenger|Copy link|Save|Bookmark|Like
Comment|Comments|Follow us|Follow us on|Subscribe|Advertisement|Read more|0 Comments
""")
"""Buttons beside a story."""

NAVIGATION = _lines("""
Home|Search|Search form|Search this site|Skip to main content|Skip to content|Skip to navigation
Jump to navigation|You are here|Main menu|Menu|Main navigation|Toggle navigation|Navigation
Breadcrumb|Log in|Login|Sign in|Sign up|Register|Close|Newsletter|Newsletters|Latest news
Top stories|Topics|Related topics|Related|Enter your keywords|Select edition|Select your edition
Go|Back to top|Skip|Loading|Cookies|Accept
""")
"""Whole lines around a story that lead elsewhere."""

STATIC_TITLES = _lines("""
About us|About|About Arab News|Privacy policy|Privacy|Privacy notice|Contact us|Contact
Terms and conditions|Terms & conditions|Terms of use|Terms of service|Terms|Cookie policy
Cookies policy|Advertise|Advertise with us|Careers|Jobs|Sitemap|Site map|Page not found|404
Access denied|Copyright|Disclaimer|FAQ
""")
"""Headlines of pages that never are articles, where nothing dates them."""

ALWAYS_STATIC = _lines("""
About us|About Arab News|Privacy policy|Privacy notice|Contact us|Terms and conditions
Terms & conditions|Terms of use|Terms of service|Cookie policy|Cookies policy|Advertise with us
""")
"""Those that never are, even dated."""

STAFF = _lines("""
Arab News|Arab News Staff|Arab News Pakistan|Arab News Japan|AN Staff|Staff Writer
Staff Reporter|Staff|AFP|AP|Reuters|SPA|Associated Press|Agence France-Presse
Saudi Press Agency|Xinhua|Bloomberg
""")
"""Whole lines that are a byline without `By`."""

SECTIONS = _lines("""
Saudi Arabia|Middle East|Middle-East|World|Business|Business & Economy|Economy|Sport|Sports
Lifestyle|Opinion|Pakistan|Media|Art & Culture|Arts & Culture|Food & Health
Science & Technology|Technology|Fashion|Travel|Entertainment|Columns|Editorial|Features|News
Japan|France|Books|Motoring|Corporate News|Off the wall
""")
"""Whole lines that name a section of a news site."""
