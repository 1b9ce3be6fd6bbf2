"""The English words that the demo model knows, so that whatever else stands in a sentence may be a name."""


def words(*lines: str) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


# After these a name may follow, even one in small letters.
BEFORE_A_PLACE = words("in for at of near around between from to than versus vs about with compare across over on")
# After these too, but small letters count only where a comparison or the end of the sentence follows.
PERHAPS_BEFORE_A_PLACE = words("is are was were does do will")
LISTING = words("and or & , / ; : versus vs plus")
ARTICLES = words("the a an")
# Small words inside a name: Rio de Janeiro, Stoke on Trent, Isle of Man.
INSIDE_A_NAME = words("de do da dos das del della di du la le les el al of on upon am an der den sur the")

WARMER = words("warm warmer warmest hot hotter hottest")
COLDER = words("cold colder coldest cool cooler coolest chilly chillier chilliest")
HUMID = words("humid humider humidest muggy muggier muggiest damp damper dampest")
DRY = words("dry drier driest dryer dryest")
COMPARISONS = WARMER | COLDER | HUMID | DRY | words("more most less least higher highest lower lowest")

TEMPERATURE = WARMER | COLDER | words("temperature temperatures temp temps degrees degree")
HUMIDITY = HUMID | DRY | words("humidity humidities")
SKY = words(
    "weather forecast forecasts rain raining rainy rains snow snowing snowy sun sunny sunshine cloud clouds cloudy",
    "condition conditions wind windy storm stormy fog foggy umbrella jacket coat climate outside sky overcast",
)
WEATHER = TEMPERATURE | HUMIDITY | SKY

MOMENTS = words(
    "now right today tonight tomorrow yesterday currently current moment presently again earlier before later lately",
    "morning afternoon evening night noon week weekend month year day days hour hours minute minutes time times clock",
    "date monday tuesday wednesday thursday friday saturday sunday january february march april may june july august",
    "september october november december spring summer autumn fall winter soon this next last",
)

COMMON = words(
    "i i'm i'd i'll i've me my mine we us our you your yours he she it it's its they them their theirs there here that",
    "that's this these those one ones both all each every any some other others another two three four five first",
    "second third same what what's whats which who who's where where's when when's why how how's hows if then else so",
    "because while be been being am is isn't are aren't was wasn't were weren't has hasn't have haven't had did didn't",
    "do don't does doesn't will won't would can can't could should shall might must let let's lets get gets got give",
    "gives tell tells show shows say says said find finds check checks look looks looking see know knows want wants",
    "need needs like likes liked please thanks thank hello hi hey ok okay yes no not and or but nor also too very",
    "much many more most less least lot bit really just only even still quite rather pretty gonna going go goes went",
    "come comes take takes bring wear pack feel feels average mean sum total difference differences product ratio",
    "root square squared cube cubed power percent percentage plus minus times divided multiplied multiply divide add",
    "subtract double twice triple half quarter calculate compute evaluate work out compare compared comparing",
    "comparison versus vs cities city town towns place places capital country location locations home local exact",
    "celsius fahrenheit centigrade metric imperial unit units number numbers result results value values level levels",
    "report update info information data details detail expected expect happening anything something nothing table",
    "list write using use give out up down by as into onto off than between with without of in on at to for from near",
    "around about across over under the a an now what're quick quickly question whether both either neither apart",
    "ahead behind",
    "difference far high higher highest low lower lowest big bigger biggest great good bad nice best worst better",
    "worse warmth heat wondering curious sorry well hmm could've remind again actually maybe perhaps alright sure",
    "suppose supposing assume assuming imagine given say answer tool tools call again live lives living",
)

# After a comma these say where a city is: "Portland, Oregon" is one place.
REGIONS = words(
    "argentina australia austria belgium brazil canada chile china colombia croatia cuba denmark egypt england",
    "finland france germany greece hungary iceland india indonesia iran iraq ireland israel italy jamaica japan",
    "kenya malaysia mexico morocco netherlands new_zealand nigeria northern_ireland norway pakistan peru",
    "philippines poland portugal romania russia scotland serbia slovakia slovenia south_africa south_korea spain",
    "sweden switzerland taiwan thailand turkey uk ukraine united_kingdom united_states usa vietnam wales alabama",
    "alaska arizona arkansas california colorado connecticut delaware florida georgia hawaii idaho illinois",
    "indiana iowa kansas kentucky louisiana maine maryland massachusetts michigan minnesota mississippi missouri",
    "montana nebraska nevada ohio oklahoma ontario oregon pennsylvania quebec tennessee texas utah vermont",
    "virginia wisconsin wyoming",
)

KNOWN = COMMON | WEATHER | MOMENTS | COMPARISONS | BEFORE_A_PLACE | PERHAPS_BEFORE_A_PLACE | LISTING | ARTICLES
