"""The words that `chat.said` reads a message by, in English and, as far as it is simple, in others.

A word that is missing here makes the reading stricter, never looser: it counts as a word with a meaning of its own.
Contractions are taken apart before ("I'm" is "i", "don't" is "do not"), and all is in small letters.
"""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SUBJECTS = _words("i we im ich wir je j nous yo nosotros io noi eu nós ik wij я мы मैं 我 私")
OWN = SUBJECTS | _words(
    "me my mine our ours us mein meine meinen meinem meiner mich mir unser unsere "
    "mon ma mes moi m mi mis mio mia meu minha mijn мой моя моё мои меня мне"
)
# How a fact names the person it is about. A fact is always about the user, so these need no word in the message.
USER = _words("user users they them their theirs he she his her you your one themselves")

NOT = _words("not never no neither nor nicht kein keine keinen nie pas jamais niet geen nunca não не 不 没 沒 别 別")
# Say nothing by themselves; "is" and "do" too, so that "is vegetarian" and "am vegetarian" are the same.
EMPTY = _words(
    "a an the is are am be being do does that this of on at as "
    "der die das den dem ein eine einen bin ist sind dass auf "
    "le la les l un une des suis est sont que qu d n ne el los las una soy es che il lo sono 是 的 は の"
)
# May stand between the words of a statement without changing what it says.
FILLERS = _words(
    "really just also still currently now usually always mostly mainly generally actually definitely only very much "
    "already so too well ok okay oh hi hello hey thanks please kindly then fyi btw "
    "bitte auch noch gerade gerne gern jetzt sehr aussi maintenant actuellement también ahora por favor"
)
CONNECTORS = _words("and or plus und oder et ou y и или 和")
BREAKS = _words("but because although though whereas while however therefore yet aber weil mais pero но 但")
# After these a phrase is whole: "lives in Berlin" is all of it in "I live in Berlin with a cat".
PHRASE_ENDS = _words(
    "in to from for with without by about since until near around over under after before during between into "
    "through via when mit bei seit aus von für zu nach avec pour depuis dans en chez à de con para desde по в на с"
)

ASKS = _words(
    "remember note save store memorise memorize record merk merke merken notiere speichere "
    "retiens souviens recuerda guarda apunta lembra ricorda onthoud запомни 记 覚"
)
# Words that may come before "remember" in a request to remember: "Could you please also remember ...".
POLITE = _words("can could would will you to down me dir euch dich te toi it 要")
FORGETS = _words(
    "forget forgets delete deleting remove removing erase drop unlearn vergiss vergesse lösche entferne oublie "
    "supprime efface olvida borra elimina esqueça apaga dimentica cancella vergeet verwijder забудь удали 忘 删"
)

# Before a statement, these say that it is asked, supposed, or somebody else's.
SAYING = _words("say says said saying tell tells told claim claims claimed wrote sagt sagte dit dice")
HEDGES = SAYING | _words(
    "if whether unless when whenever suppose supposing assume assuming imagine pretend pretending wish wished hope "
    "doubt doubts maybe perhaps hypothetically think thinks thought believe believes guess "
    "heard read reads quote character story fictional roleplay translate "
    "summarise summarize rephrase rewrite paraphrase proofread pronounce false untrue wrong "
    "wenn ob falls angenommen vielleicht si quizás se если возможно 如"
)
QUESTION_OPENERS = _words(
    "do does did am is are was were can could should would will shall may might have has had "
    "what where when who whom whose why how which was wo wer wie warum welche où qui comment pourquoi quel quelle "
    "qué dónde quién cómo"
)
QUESTION_ENDINGS = _words("吗 か")
RELATIVES = _words("who whom whose which where he she it they you qui der")
# "..., right?" after a statement makes a question of it.
TAGS = _words("right correct true yes no not do does am is i it that you know eh huh ok okay don t nicht wahr")

# What makes a wish for always of "fahrenheit", and not just a word about now.
WISHES = _words(
    "prefer prefers preferred like love favourite favorite rather always default use want set switch call "
    "bevorzuge mag möchte immer préfère aime toujours prefiero quiero siempre preferisco prefiro liever предпочитаю"
)
DISLIKES = _words("hate dislike avoid stop except hates dislikes loathe hasse déteste odio")
# The word after one of these is what was not chosen: "celsius over fahrenheit".
AGAINST = _words("over than instead versus vs from statt als que")

ABBREVIATIONS = _words("st dr mr mrs ms prof jr sr vs mt")
