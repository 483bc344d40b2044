"""Words that say what stands beside them: titles, kinds of organizations, places, given names.

Made by hand, English news only. Lower case unless case tells; titles without their dots.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


HONORIFICS = _words(
    """mr mrs ms miss dr prof professor sir dame lord lady sen senator rep gov governor lt gen
    general maj major col colonel capt captain cmdr commander adm admiral sgt sergeant cpl
    lieutenant brig brigadier marshal president premier chancellor king queen prince princess
    sultan emperor pope cardinal archbishop bishop rev reverend father sheikh shaikh sheik
    emir imam ayatollah mullah maulana rabbi chairman chairwoman congressman congresswoman
    councilman councilwoman lawmaker spokesman spokeswoman spokesperson ambassador envoy
    minister secretary judge justice mayor sheriff detective officer inspector analyst
    economist coach striker midfielder defender goalkeeper actor actress singer director
    author novelist attorney lawyer commissioner superintendent chief treasurer deputy
    undersecretary vice-president co-founder founder ceo cfo engr barrister advocate hon mp md
    pm pilot publicist skipper sister brother crown comptroller prosecutor vice-chairman
    vicepresident field counsellor counselor"""
)
"""May stand right before a person's name."""

ROLE_WORDS = HONORIFICS | _words(
    """foreign economics finance defense defence interior home health trade economy economic
    energy oil petroleum information education labor labour agriculture transport
    transportation justice planning environment culture tourism prime deputy vice assistant
    acting former state military army navy police central bank special representative under
    executive officer financial operating managing first lady senior national security adviser
    advisor press general staff affairs industry commerce investment water power railways
    housing human rights religious sports youth climate change external relations permanent
    partner member chair head leader party opposition global group regional country office
    media government presidential federal chief army's crown supreme political minority
    majority whip speaker house senate budget treasury cabinet editor"""
)
"""Words that the name of an office is made of."""

DESIGNATORS = _words(
    """inc corp co ltd plc llc llp lp ag sa nv bv ab as asa oy gmbh spa kg pty bhd berhad sarl
    company corporation incorporated limited group holdings holding cos pvt se"""
)
"""Ends a company's name and may be left out of it."""

GENERIC = DESIGNATORS | _words(
    """industries international airlines airways motors motor bank bancorp financial systems
    technologies technology energy petroleum oil resources partners capital enterprises
    products foods stores services pharmaceuticals laboratories communications electronics
    steel chemical chemicals shipbuilding shipping insurance securities brothers bancshares
    savings trust investments labs media networks studios properties realty gold mines mining
    american-based news newspaper agency movement party football club fc united city"""
)
"""What a short form of an organization's name leaves out."""

ORG_HEADS = _words(
    """Ministry Department Bank University College Institute Institution Academy School
    Commission Committee Council Authority Agency Association Federation Confederation Union
    League Party Alliance Coalition Movement Front Brigade Brigades Congress Parliament Senate
    Assembly Court Tribunal Bureau Office Foundation Fund Trust Society Organization
    Organisation Corporation Company Group Holdings Bancorp Industries Airlines Airways
    Railways Motors Motor Corp Inc Ltd Plc Co LLC Securities Capital Partners Ventures
    Hospital Museum Orchestra Club Team Board Service Services Exchange Centre Center Church
    Guard Guards Army Navy Police Force Forces Corps Cooperative Press News Times Post Tribune
    Herald Gazette Examiner Sentinel Journal Chronicle Network Television Radio Pharma
    Pharmaceuticals Therapeutics Technologies Systems Laboratories Shipping Shipbuilding Steel
    Petroleum Insurance Mission Embassy Secretariat Division Directorate Administration
    Chamber Conference Bancshares Savings Enterprises Resources Energy Chemical Chemicals
    Foods Stores Communications Electronics Brothers"""
)
"""A capitalized run that ends so is an organization."""

OF_HEADS = _words(
    """Ministry Department Bank University College Institute Academy School Commission
    Committee Council Authority Association Federation Confederation Union League Party
    Alliance Court Bureau Office Foundation Fund Society Organization Organisation Museum
    Board Chamber Church House Conference Secretariat Embassy Directorate"""
)
"""Goes on with `of`: Bank of Ghana, Ministry of Lands."""

PLACE_HEADS = _words(
    """River Lake Mountain Mountains Valley Island Islands Sea Ocean Bay Gulf Strait Straits
    Desert Peninsula Province County District Region Airport Port Harbor Harbour Street Avenue
    Road Square Bridge Beach Hill Hills Park Coast Canal Oblast Governorate Prefecture Village
    City Town Basin Cape Mount Plateau Delta Volcano Glacier Forest Refinery Stadium"""
)
"""A capitalized run that ends so is a place."""

CALENDAR = _words(
    """January February March April May June July August September October November December
    Jan Feb Mar Apr Jun Jul Aug Sept Sep Oct Nov Dec Monday Tuesday Wednesday Thursday Friday
    Saturday Sunday Mon Tue Tues Wed Thu Thurs Fri Sat Sun Christmas Easter Ramadan Eid Hajj
    Umrah Diwali Hanukkah Passover Thanksgiving"""
)

NO_NAMES = _words(
    """covid covid-19 coronavirus internet web web3 blockchain islam christianity judaism
    sharia bible quran koran olympics olympic euro euros dollar dollars yen sterling rupee
    rupees riyal riyals dinar dlr dlrs mln bln pct stg mths mth yr yrs qtr qtly shr shrs net
    revs avg cts div dilutd prior record pay oper primary nine six three year qtrs jan-march
    nil note total english arabic french german spanish russian chinese japanese i ii iii iv
    ceo cfo gdp gnp cpi tv ai it muslim muslims christian christians jewish jew jews arab
    arabs kurd kurds kurdish sunni shiite shia african africans european europeans asian
    asians latin hispanic western westerners republican republicans democrat democrats
    democratic communist communists conservative conservatives liberal liberals socialist
    socialists marxist islamist islamists zionist tory tories maoist catholic catholics
    protestant protestants orthodox hindu hindus buddhist sikh scottish welsh bavarian catalan
    palestinian soviet soviets yankee northern southern eastern central today yesterday
    tomorrow government officials he she they we the this that these those his her its their
    but and or if when while after before since because although however meanwhile also asked
    according analysts sources traders dealers bankers shares stocks corrected more update
    updates mps mp crown kingdom mr mrs ms dr gen lt col sir gold silver oil opec-led ltd inc
    corp co plc ag sa company corporation photo file updated short url story related follow
    read watch"""
)
"""Never the whole of a name, whatever a model says; folded."""

PARTICLES = _words(
    """al el bin ibn bint abu abd de da di du del della der den van von la le lo dos das ben
    st y e ul ud ur ter"""
)
"""Lower case inside a person's name, or a part of the surname."""

LOCATIVE = _words(
    "in at from near outside around across through into toward towards throughout inside to within"
)
"""Before a place."""

NO_ENTITY_TAILS = _words(
    """Framework Plan Act Treaty Agreement Accord Accords Pact Policy Strategy Initiative Law
    Bill Index Cup Prize Award Awards Championship Championships War Day Week Olympics Games
    Open Protocol Convention Resolution Constitution Amendment Code Report Deal Process
    Programme Doctrine Declaration Charter Fair Festival Grand-Prix Prix Marathon Cyclone
    Hurricane"""
)
"""A capitalized run that ends so is a plan, a law, a prize."""

SPORT = _words(
    """striker midfielder goalkeeper defender penalty goal goals halftime half-time coach
    points rebounds innings wickets league season match quarterback touchdown homer playoff
    playoffs cup scored scorer champions game win winger inning defeat defeats victory kickoff
    kick-off"""
)
"""An article with several of these is about sport."""

GIVEN_NAMES = _words(
    """James John Robert Michael William David Richard Joseph Thomas Charles Christopher
    Daniel Matthew Anthony Mark Donald Steven Paul Andrew Joshua Kenneth Kevin Brian George
    Edward Ronald Timothy Jason Jeffrey Ryan Jacob Gary Nicholas Eric Jonathan Stephen Larry
    Justin Scott Brandon Benjamin Samuel Gregory Frank Alexander Raymond Patrick Jack Dennis
    Jerry Tyler Aaron Jose Adam Henry Nathan Douglas Zachary Peter Kyle Walter Ethan Jeremy
    Harold Keith Christian Roger Noah Gerald Carl Terry Sean Austin Arthur Lawrence Jesse
    Dylan Bryan Joe Jordan Billy Bruce Albert Willie Gabriel Logan Alan Juan Wayne Roy Ralph
    Randy Eugene Vincent Russell Louis Philip Bobby Johnny Bradley Mary Patricia Jennifer
    Linda Elizabeth Barbara Susan Jessica Sarah Karen Lisa Nancy Betty Margaret Sandra Ashley
    Kimberly Emily Donna Michelle Carol Amanda Dorothy Melissa Deborah Stephanie Rebecca
    Sharon Laura Cynthia Kathleen Amy Angela Shirley Anna Brenda Pamela Emma Nicole Helen
    Samantha Katherine Christine Debra Rachel Carolyn Janet Catherine Maria Heather Diane Ruth
    Julie Olivia Joyce Virginia Victoria Kelly Lauren Christina Joan Evelyn Judith Megan
    Andrea Cheryl Hannah Jacqueline Martha Gloria Teresa Ann Sara Madison Frances Kathryn
    Janice Jean Abigail Alice Judy Sophia Grace Denise Amber Doris Marilyn Danielle Beverly
    Isabella Theresa Diana Natalie Brittany Charlotte Marie Kayla Alexis Lori Mohammed
    Muhammad Mohammad Mohamed Ahmed Ahmad Ali Hassan Hussein Hussain Omar Khalid Abdullah
    Abdul Ibrahim Yusuf Youssef Mustafa Mahmoud Salman Faisal Fahd Nasser Saud Sultan Turki
    Tariq Imran Bilal Hamid Hamza Karim Rashid Saeed Said Salem Samir Walid Yasser Zaid Aisha
    Fatima Khadija Layla Leila Mariam Maryam Nadia Noura Hanan Huda Amal Rania Salma Zainab
    Zahra Nawaz Shehbaz Asif Ashraf Vladimir Sergei Dmitry Ivan Mikhail Boris Igor Yuri Viktor
    Oleg Andrei Alexei Nikolai Natalia Olga Tatiana Svetlana Pierre Jacques Michel Francois
    Philippe Alain Bernard Claude Marcel Luc Emmanuel Nicolas Marine Hans Klaus Jurgen
    Wolfgang Helmut Gerhard Karl Heinz Dieter Ulrich Friedrich Ursula Olaf Giovanni Giuseppe
    Antonio Mario Luigi Paolo Marco Matteo Silvio Francesco Roberto Carlos Luis Jorge Manuel
    Pedro Miguel Fernando Francisco Javier Rafael Ricardo Alberto Pablo Diego Hugo Andres
    Rodrigo Elena Ana Isabel Carmen Rosa Lars Erik Anders Nils Bjorn Sven Olof Ingrid Astrid
    Hiroshi Kenji Takeshi Yasuhiro Shinzo Taro Junichiro Akira Satoshi Yoshihide Kiichi Noboru
    Xi Li Wang Zhang Chen Liu Kim Lee Park Narendra Rajiv Indira Sonia Rahul Amit Arun Priya
    Anil Sanjay Vijay Ravi Rajesh Suresh Anita Manmohan Benazir Zulfikar Pervez Zia Kofi
    Nelson Thabo Cyril Desmond Bill Bob Jim Tom Tim Tony Mike Steve Dave Dan Ben Sam Fred Ted
    Ed Chris Nick Rick Rob Ron Don Ken Greg Jeff Matt Phil Ray Stan Walt Will Hillary Kate
    Jane Anne Sally Peggy Betsy Rishi Keir Nigel Neil Ian Graham Geoffrey Colin Simon Clive
    Trevor Malcolm Rupert Oliver Harry Harriet Fiona Gordon Alistair Antony Kamala Barack
    Jimmy Lyndon Dwight Pope Clayton Caspar Casper Beryl Manfred Stanley Howard Arturo Recep
    Tayyip Binali Kemal Yitzhak Shimon Ariel Ehud Moshe Avigdor Yair Hosni Anwar Gamal Muammar
    Saddam Bashar Hafez Ruhollah"""
)
"""Given names of many countries, capitalized."""
