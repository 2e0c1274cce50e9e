"""Which language a message is in, as far as the signals need to know: English, Spanish, or one they cannot read."""

from __future__ import annotations

from .text import Text

READ = ("en", "es")
UNKNOWN = "und"

# Small words that say which language it is. A word that two languages share counts for neither of them much.
_SMALL = {
    "en": "the and is it my i you to of a in have has not for with was are this that be on at can do me he she they am "
    "been but or so we his her if from just please what when how will would no your had did an as about feel pain after "
    "since today need help hurts get got up out now still again",
    "es": "el la los las y de que en mi me se un una por con para no es muy tengo tiene esta estoy pero mucho desde "
    "como cuando le lo su al del ya si hay siento duele dolor puedo hoy ayer necesito quiero fue ha he yo porque hace "
    "mas nada ella hijo hija mama papa favor gracias hola tambien ahora noche dias",
    "pt": "nao uma com meu minha estou voce muito dor ele ela os as um ao da do na no em foi tem tenho isso mais mas "
    "para por favor obrigado doi febre desde ontem hoje filho filha mae pai consigo ajuda faz meus nos",
    "fr": "je le la les des est pas une mon ma mes et j un du au que qui dans pour avec sur il elle nous vous ne suis ai "
    "mal depuis bonjour merci tres fils fille besoin c'est j'ai n'ai aujourd'hui hier fievre douleur",
    "de": "ich und der die das ist nicht mein meine habe mit ein eine zu seit hat bitte sehr kann schmerzen es auf im "
    "den dem wir sie er auch aber fieber tochter sohn brauche heute gestern",
    "it": "io il di che non ho mio mia sono con una per e da ha mi si molto dolore del della nel gli lo anche male "
    "febbre figlio figlia oggi ieri grazie bisogno perche sto",
    "ht": "mwen pa gen nan yo li se ap pou ki nou ak sa anpil doule depi ti pitit tanpri bezwen jodi maten vant tet",
    "tl": "ang ng mga sa ako ko po na hindi siya ay may kay niya masakit lagnat anak kailangan ba naman pero kasi ito",
    "vi": "toi khong bi va la cua co rat nay cho con dau hom mot nguoi bac si toi dang",
    "pl": "nie jest mam i w na sie z do moja moj boli od to bardzo prosze mnie jak ale czy",
    "so": "waxaan ma iyo ka ku waa aan inaan xanuun",
}
_TABLE: dict[str, list[tuple[str, float]]] = {}
for _language, _words in _SMALL.items():
    for _word in set(_words.split()):
        _TABLE.setdefault(_word, []).append((_language, 1.0))
_TABLE = {word: [(language, 1.0 / len(found)) for language, _ in found] for word, found in _TABLE.items()}


def detect(text: Text, declared: str = "en") -> str:
    """The language of a message; the declared one where the words do not tell."""
    declared = (declared or "en").lower().replace("_", "-").partition("-")[0]
    words = [word for word in text.words if word[0].isalpha() or word[0] == "_"]
    if not words:
        return declared
    strange = sum(1 for word in words if "_" in word)
    if strange * 2 > len(words):
        return declared if declared not in READ else UNKNOWN
    score = dict.fromkeys(_SMALL, 0.0)
    for word in words:
        for language, weight in _TABLE.get(word, ()):
            score[language] += weight
    best = max(score, key=lambda language: (score[language], language == declared, language in READ))
    ours = max(READ, key=lambda language: (score[language], language == declared))
    if best in READ:
        if score[best] == 0 and declared not in READ:
            return declared
        return best if score[best] > 0 else declared
    # a language we cannot read must be clearly ahead: a few shared words must not stop the reading
    if score[best] >= 2 and score[best] > 1.5 * score[ours]:
        return best
    if declared not in READ:
        return ours if score[ours] >= 3 and score[ours] > score[best] else declared
    return ours if score[ours] > 0 else declared
