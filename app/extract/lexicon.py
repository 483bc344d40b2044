"""Words that say what stands beside them: titles, kinds of organizations, places, given names.

Made by hand, English news only. Lower case unless case tells; titles without their dots.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


HONORIFICS = _words(
    """adviser advisor mr mrs ms miss dr prof professor sir dame lord lady sen senator rep gov
    governor lt gen general maj major col colonel capt captain cmdr commander adm admiral sgt
    sergeant cpl lieutenant brig brigadier marshal president premier chancellor king queen
    prince princess sultan emperor pope cardinal archbishop bishop rev reverend father sheikh
    shaikh sheik emir imam ayatollah mullah maulana rabbi chairman chairwoman congressman
    congresswoman councilman councilwoman lawmaker spokesman spokeswoman spokesperson
    ambassador envoy minister secretary judge justice mayor sheriff detective officer
    inspector analyst economist coach striker midfielder defender goalkeeper actor actress
    singer director author novelist attorney lawyer commissioner superintendent chief
    treasurer deputy undersecretary vice-president co-founder founder ceo cfo engr barrister
    advocate hon mp md pm pilot publicist skipper sister brother crown comptroller prosecutor
    vice-chairman vicepresident field counsellor counselor"""
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
    City Town Basin Cape Mount Plateau Volcano Glacier Forest Refinery Stadium"""
)
"""A capitalized run that ends so is a place."""

CALENDAR = _words(
    """January February March April May June July August September October November December
    Jan Feb Mar Apr Jun Jul Aug Sept Sep Oct Nov Dec Monday Tuesday Wednesday Thursday Friday
    Saturday Sunday Mon Tue Tues Wed Thu Thurs Fri Sat Sun Christmas Easter Ramadan Eid Hajj
    Umrah Diwali Hanukkah Passover Thanksgiving"""
)

NO_NAMES = _words(
    """gmt est edt pst bst aids hiv covid covid-19 coronavirus internet web web3 blockchain
    islam christianity judaism sharia bible quran koran olympics olympic euro euros dollar
    dollars yen sterling rupee rupees riyal riyals dinar dlr dlrs mln bln pct stg mths mth yr
    yrs qtr qtly shr shrs net revs avg cts div dilutd prior record pay oper primary nine six
    three year qtrs jan-march nil note total english arabic french german spanish russian
    chinese japanese i ii iii iv ceo cfo gdp gnp cpi tv ai it muslim muslims christian
    christians jewish jew jews arab arabs kurd kurds kurdish sunni shiite shia african
    africans european europeans asian asians latin hispanic western westerners republican
    republicans democrat democrats democratic communist communists conservative conservatives
    liberal liberals socialist socialists marxist islamist islamists zionist tory tories
    maoist catholic catholics protestant protestants orthodox hindu hindus buddhist sikh
    scottish welsh bavarian catalan palestinian soviet soviets yankee northern southern
    eastern central today yesterday tomorrow government officials he she they we the this that
    these those his her its their but and or if when while after before since because although
    however meanwhile also asked according analysts sources traders dealers bankers shares
    stocks corrected more update updates mps mp crown kingdom mr mrs ms dr gen lt col sir gold
    silver oil opec-led ltd inc corp co plc ag sa company corporation photo file updated short
    url story related follow read watch"""
)
"""Never the whole of a name, whatever a model says; folded."""

NO_PHRASES = frozenset(
    {
        "state of the union",
        "world cup",
        "world war",
        "cold war",
        "wall street journal report",
        "zip codes",
        "civil war",
        "world war ii",
        "super bowl",
        "black friday",
        "supreme leader",
        "special drawing rights",
        "gross domestic product",
        "gross national product",
        "consumer price index",
    }
)
"""Capitalized, and no person, organization or place; folded."""

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
    """Judgement Judgment Framework Plan Act Treaty Agreement Accord Accords Pact Policy
    Strategy Initiative Law Bill Index Cup Prize Award Awards Championship Championships War
    Day Week Olympics Games Open Protocol Convention Resolution Constitution Amendment Code
    Report Deal Process Programme Doctrine Declaration Charter Fair Festival Grand-Prix Prix
    Marathon Cyclone Hurricane"""
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
    """Beatrice Beatrix Rosalind Margarita Gabriela Gabriella Lucia Luisa Sofia Sofie Sophie
    Chloe Zoe Lily Ella Mia Ava Amelia Eleanor Edith Ethel Florence Gladys Irene Iris Ivy
    Josephine Joanna Joanne Judith Julia Juliet Kathy Katie Kim Kirsten Kristin Kristina Lena
    Leslie Lorraine Louise Lucy Lydia Lynn Mabel Maeve Marcia Marianne Marina Marjorie Maureen
    Maxine Melanie Mercedes Michaela Mildred Miriam Moira Monica Monique Muriel Myra Nadine
    Naomi Nina Nora Norma Paula Pauline Penelope Phoebe Phyllis Priscilla Regina Renee Rhonda
    Rita Roberta Rosemary Roxanne Ruby Sabrina Sandy Selma Sheila Sheryl Silvia Simone Stella
    Sue Suzanne Sylvia Tamara Tara Tina Tracy Ursula Valerie Vanessa Vera Veronica Vivian
    Wendy Wilma Yolanda Yvonne Alejandro Alfredo Alvaro Angel Armando Arnaldo Arnold Augusto
    Aurelio Bettino Ciriaco Cesar Claudio Cristina Dario Dilson Domingo Eduardo Emilio Enrique
    Ernesto Esteban Eugenio Federico Felipe Felix Fidel Gerardo German Gilberto Giulio Gonzalo
    Gustavo Guillermo Hector Hernan Humberto Ignacio Ismael Jaime Joao Joaquin Julio Leonardo
    Lorenzo Marcelo Marcos Martin Mauricio Maurizio Maximo Nestor Nicola Octavio Oscar Pascal
    Patricio Paulo Raul Renato Rene Rui Ruben Salvador Santiago Sebastian Sergio Silvio Tomas
    Umberto Victor Vicente Vittorio Achille Aldo Alessandro Andrea Arrigo Bruno Carlo Cesare
    Claudia Dino Ennio Enrico Enzo Fabio Filippo Franco Gianni Gianfranco Guido Luca Luciano
    Marcello Massimo Mauro Michele Nino Pier Pietro Raffaele Renzo Riccardo Romano Sandro
    Stefano Valentino Antoine Arnaud Benoit Bertrand Christophe Denis Didier Dominique Edouard
    Etienne Fabrice Francis Frederic Gaston Georges Gerard Gilles Guy Henri Herve Jacques
    Jean-Claude Jean-Luc Jean-Pierre Jerome Laurent Lionel Lucien Maurice Olivier Patrice
    Raymond Regis Roland Serge Sylvain Thierry Thibault Valery Xavier Yves Albrecht Andreas
    Axel Bernd Bernhard Christoph Dirk Eberhard Egon Erich Ernst Ferdinand Franz Fritz Georg
    Gunter Gunther Gustav Hannes Harald Hartmut Helga Herbert Hermann Horst Joachim Johann
    Johannes Jens Josef Jorg Juergen Kurt Lothar Ludwig Manfred Markus Mathias Matthias
    Norbert Oskar Otto Rainer Reinhard Rolf Rudi Rudolf Ruediger Siegfried Stefan Theo Thomas
    Uwe Volker Walther Werner Wilhelm Willi Willy Winfried Aad Cornelis Frans Frits Gerrit
    Hendrik Jaap Jan Jeroen Johan Joop Joost Kees Klaas Koen Maarten Marten Onno Piet Pieter
    Ruud Rob Sjoerd Wim Wilfried Willem Wouter Agnes Aleksander Anatoly Andrzej Boguslaw
    Bohdan Bronislaw Czeslaw Donald Gennady Grigory Jacek Janusz Jaroslaw Jerzy Jozef
    Kazimierz Konstantin Krzysztof Lech Leonid Leszek Lubomir Ludmila Maxim Milan Miroslav
    Nikita Pavel Petr Piotr Radoslaw Roman Slobodan Stanislav Stanislaw Tadeusz Vaclav Vadim
    Valentin Vasily Viacheslav Vitaly Vyacheslav Volodymyr Wojciech Yegor Yevgeny Yuri
    Zbigniew Zoran Zdravko Aziz Bandar Fawaz Fouad Ghazi Habib Haitham Hani Hisham Hosam
    Ismail Jamal Jassim Kamal Khaled Khalifa Majid Mansour Marwan Masoud Mazen Mehdi Mohsen
    Moncef Muhammadu Munir Musa Nabil Naif Nayef Nizar Osama Qasim Rafik Rafiq Ramzi Riyad
    Saad Sadiq Saleh Salim Sami Shahid Sharif Sohail Suleiman Taha Tarek Usman Waleed Yahya
    Yousef Yusuf Zaki Zalmay Zubair Abdel Abdulaziz Abdulrahman Aminu Babatunde Chidi Chinedu
    Emeka Femi Goodluck Ifeanyi Jomo Joyce Kwame Kwesi Mwai Ngozi Nana Olusegun Robert Sani
    Sipho Tendai Uhuru Umaru Yoweri Aarav Ajay Akhilesh Alok Anand Anika Anjali Arjun Arvind
    Ashok Ashwini Atal Bishnu Deepak Devendra Dilip Dinesh Gopal Harsh Hemant Jairam
    Jawaharlal Karan Kapil Kiran Krishna Kumar Lakshmi Lalit Mahendra Mahesh Mamata Manish
    Manoj Meera Mohan Mukesh Nirmala Nitin Pankaj Pradeep Prakash Pranab Prem Rajendra Rakesh
    Ram Ramesh Ranjit Ratan Rohit Sachin Sandeep Santosh Satish Sharad Shashi Shivraj Smriti
    Sunil Surendra Sushma Uday Vikram Vinod Virat Yashwant Aoki Eiji Fumio Hideo Hisashi Isamu
    Ichiro Kazuo Keiichi Keizo Koichi Koji Kozo Makoto Masaru Masayoshi Michio Minoru Mitsuo
    Naoto Nobuo Osamu Ryutaro Saburo Seiji Shigeru Shintaro Shoichi Shuichi Sosuke Susumu
    Tadashi Takao Takashi Takeo Tatsuo Teruo Toshiki Toshio Tsutomu Yasuo Yoshiro Yukio Yutaka
    Aung Bambang Joko Mahathir Najib Prabowo Susilo Suharto Corazon Gloria Rodrigo Benigno
    Anwar Goh Thaksin Prayut Yingluck Alastair Angus Barnaby Bernie Bertie Brendan Bronwyn
    Callum Cameron Carlton Cathal Cecil Cedric Chester Clarence Cliff Clifford Clint Clinton
    Clyde Conor Craig Curtis Cyrus Dale Damian Damien Darrell Darren Darryl Dean Declan
    Delbert Derek Desmond Dominic Donovan Doug Duane Duncan Dustin Dwayne Earl Eddie Edgar
    Edmund Edwin Elliot Elliott Elmer Elton Elvis Eoin Ernest Erskine Ervin Ethan Eugene Evan
    Everett Fergus Fintan Floyd Franklin Freddie Frederick Gareth Garrett Gary Gavin Gene
    Geoff Gideon Gilbert Glen Glenn Graeme Grant Harrison Harvey Heath Herb Herman Hilary
    Homer Horace Hubert Hugh Hyman Ira Irving Irwin Isaac Isaiah Ivor Jake Jamie Jared Jarrod
    Jasper Jay Jeff Jess Jim Joel Josh Julian Julius Karl Kent Kirk Kyle Lance Lamar Lars
    Laurence Lee Leo Leon Leonard Leroy Lester Levi Lewis Liam Lloyd Lou Lowell Lucas Luke
    Luther Lyle Mack Manny Manuel Marc Marcus Mario Marshall Marty Marvin Mason Maury Max
    Maxwell Mel Melvin Merle Merrill Micah Mickey Miles Milton Mitch Mitchell Monte Morgan
    Morris Mort Murray Myron Ned Neal Nelson Newt Niall Nolan Norm Norman Orville Owen Pat
    Percy Pete Preston Quentin Quincy Ralph Ramsey Randall Reggie Reginald Rex Rhys Rich
    Rodney Roderick Ron Ronnie Rory Ross Rufus Rupert Rusty Sander Scotty Seamus Seth Shane
    Shaun Shawn Sheldon Sidney Solomon Spencer Stacy Stan Stewart Stuart Sydney Terence
    Terrence Theodore Tim Toby Todd Travis Troy Tyrell Tyrone Vaughn Vernon Vince Virgil Wade
    Wally Wallace Warren Wes Wesley Wilbur Wilfred Willard Winston Zach Zane James John
    Michael William David Richard Joseph Charles Christopher Daniel Matthew Anthony Mark
    Steven Paul Andrew Joshua Kenneth Kevin Brian George Edward Ronald Timothy Jason Jeffrey
    Ryan Jacob Nicholas Eric Jonathan Stephen Larry Justin Scott Brandon Benjamin Samuel
    Gregory Frank Alexander Patrick Jack Dennis Jerry Tyler Aaron Jose Adam Henry Nathan
    Douglas Zachary Peter Walter Jeremy Harold Keith Christian Roger Noah Gerald Carl Terry
    Sean Austin Arthur Lawrence Jesse Dylan Bryan Joe Jordan Billy Bruce Albert Willie Gabriel
    Logan Alan Juan Wayne Roy Randy Vincent Russell Louis Philip Bobby Johnny Bradley Mary
    Patricia Jennifer Linda Elizabeth Barbara Susan Jessica Sarah Karen Lisa Nancy Betty
    Margaret Sandra Ashley Kimberly Emily Donna Michelle Carol Amanda Dorothy Melissa Deborah
    Stephanie Rebecca Sharon Laura Cynthia Kathleen Amy Angela Shirley Anna Brenda Pamela Emma
    Nicole Helen Samantha Katherine Christine Debra Rachel Carolyn Janet Catherine Maria
    Heather Diane Ruth Julie Olivia Virginia Victoria Kelly Lauren Christina Joan Evelyn Megan
    Cheryl Hannah Jacqueline Martha Teresa Ann Sara Madison Frances Kathryn Janice Jean
    Abigail Alice Judy Sophia Grace Denise Amber Doris Marilyn Danielle Beverly Isabella
    Theresa Diana Natalie Brittany Charlotte Marie Kayla Alexis Lori Mohammed Muhammad
    Mohammad Mohamed Ahmed Ahmad Ali Hassan Hussein Hussain Omar Khalid Abdullah Abdul Ibrahim
    Youssef Mustafa Mahmoud Salman Faisal Fahd Nasser Saud Sultan Turki Tariq Imran Bilal
    Hamid Hamza Karim Rashid Saeed Said Salem Samir Walid Yasser Zaid Aisha Fatima Khadija
    Layla Leila Mariam Maryam Nadia Noura Hanan Huda Amal Rania Salma Zainab Zahra Nawaz
    Shehbaz Asif Ashraf Vladimir Sergei Dmitry Ivan Mikhail Boris Igor Viktor Oleg Andrei
    Alexei Nikolai Natalia Olga Tatiana Svetlana Pierre Michel Francois Philippe Alain Bernard
    Claude Marcel Luc Emmanuel Nicolas Marine Hans Klaus Jurgen Wolfgang Helmut Gerhard Heinz
    Dieter Ulrich Friedrich Olaf Giovanni Giuseppe Antonio Luigi Paolo Marco Matteo Francesco
    Roberto Carlos Luis Jorge Pedro Miguel Fernando Francisco Javier Rafael Ricardo Alberto
    Pablo Diego Hugo Andres Elena Ana Isabel Carmen Rosa Erik Anders Nils Bjorn Sven Olof
    Ingrid Astrid Hiroshi Kenji Takeshi Yasuhiro Shinzo Taro Junichiro Akira Satoshi Yoshihide
    Kiichi Noboru Xi Li Wang Zhang Chen Liu Park Narendra Rajiv Indira Sonia Rahul Amit Arun
    Priya Anil Sanjay Vijay Ravi Rajesh Suresh Anita Manmohan Benazir Zulfikar Pervez Zia Kofi
    Thabo Cyril Bill Bob Tom Tony Mike Steve Dave Dan Ben Sam Fred Ted Ed Chris Nick Rick Don
    Ken Greg Matt Phil Ray Walt Will Hillary Kate Jane Anne Sally Peggy Betsy Rishi Keir Nigel
    Neil Ian Graham Geoffrey Colin Simon Clive Trevor Malcolm Oliver Harry Harriet Fiona
    Gordon Alistair Antony Kamala Barack Jimmy Lyndon Dwight Pope Clayton Caspar Casper Beryl
    Stanley Howard Arturo Recep Tayyip Binali Kemal Yitzhak Shimon Ariel Ehud Moshe Avigdor
    Yair Hosni Gamal Muammar Saddam Bashar Hafez Ruhollah"""
)
"""Given names of many countries, capitalized."""

NICKNAMES = dict(
    pair.split("/")
    for pair in _words(
        """jim/james bill/william bob/robert mike/michael tom/thomas joe/joseph dick/richard
    tony/anthony jack/john ted/edward ron/ronald dan/daniel dave/david steve/steven
    ken/kenneth jerry/gerald larry/lawrence chuck/charles hank/henry kate/katherine
    liz/elizabeth peggy/margaret"""
    )
)
"""Short given names, folded, with what they are short for."""
