"""The given name in a person's whole name, for a greeting. Where there is any doubt there is none.

"Hi Nguyễn," and "Hi PhD," are worse than "Hello,". So a name is taken apart only if it is two words or more, all
plain, in a script and an order in which the given name comes first.
"""

from __future__ import annotations

import re

from avisa.core.model import Json

_MOST_WORDS = 6
_LONGEST = 40  # characters of a given name

# The scripts of people who write the given name first, letters and marks. Of Cyrillic, Han, Kana, Hangul and others
# nobody can know, since official forms turn the order round.
_SCRIPTS = (
    "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0300-\u036f\u1e00-\u1e9f",  # Latin but for Vietnamese
    "\u0370-\u0373\u0376\u0377\u0386-\u03ff\u1f00-\u1fff\u0300-\u036f",  # Greek
    "\u05d0-\u05ea\u05f0-\u05f2\u0591-\u05bd",  # Hebrew
    "\u0620-\u065f\u066e-\u06d3",  # Arabic
    "\u0900-\u0963\u0971-\u097f\u200c\u200d",  # Devanagari
    "\u0981-\u09e3\u200c\u200d",  # Bengali
)


def _names_in(letters: str) -> str:
    """A pattern of two words or more, plain ones or, between the first and the last, initials."""
    word = f"(?:[A-Za-z]['’])?[{letters}]{{2,}}+(?:['’-][{letters}]++)*+"
    return f"{word} (?:(?:{word}|[{letters}]\\.?) )*+{word}"


_PLAIN = re.compile("|".join(map(_names_in, _SCRIPTS)))
_VIETNAMESE = re.compile("[\u01a0\u01a1\u01af\u01b0\u1ea0-\u1ef9]")
_FAMILY_FIRST = frozenset({"hu", "vi", "zh", "ja", "ko", "yue", "km", "ru", "uk", "be", "kk", "mn"})  # languages


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Words that no plain name of one person has, wherever they stand; without dots.
_DOUBTFUL = (
    # titles, forms of address, degrees and suffixes
    _words("""mr mrs ms mx miss mister sir madam madame mme mlle monsieur dame lord lady rev reverend fr father sister
        dr dra drs doctor doutor doutora doctora prof profa professor professora profesor profesora eng enga engo arq
        sr sra srs sras srta sta sres snr senhor senhora señor señora señorita senyor senyora don doña dona dom
        exmo exma exmos ilmo ilma illmo illma excelentíssimo excelentíssima herr frau hr dipl ing mag lic licda ldo
        lda adv bsc msc ba ma phd md mba llm esq jr snr sen junior senior ii iii iv vi cpa dds rn sig signor signora
        sri shri smt padre madre fray fra sor fam
        sua vossa estimado estimada prezado prezada dear""")
    # firms, and parts of them
    | _words("""ltd ltda limited limitada llc llp inc incorporated corp corporation co company cia compañía companhia
        firma firm empresa fa
        gmbh ag kg ohg ug ev sa sas sarl sàrl srl sl slu slp spa bv nv vof oy oyj ab as aps plc pty pte kft zrt sro
        doo unipessoal eireli epp mei group grupo holding shop store loja tienda botiga studio estudio services
        service serviços servicios solutions soluções hotel restaurant restaurante bar café clinic clínica clinica
        school escola escuela universidade universidad university associação asociación associació fundação fundación
        team equipa equipe equipo office department dept family família familia famille familie banco bank""")
    # what stands for a name that nobody gave
    | _words("""null undefined none nan nil na unknown test teste prueba prova tester guest customer client cliente
        clienta kunde user usuario usuário usuari utilizador utilizadora consumidor consumidora final anonymous
        anonymus anónimo anonimo anônimo anònim name names nome nombre nom firstname lastname surname first last given
        dummy sample example exemplo ejemplo exemple xxx asdf admin administrator deleted removed
        redacted default object your you not não nao sin sem set empty vazio vacío vacio tbd gast konto account conta
        cuenta compte mustermann informado indicado""")
    # more than one person
    | _words("and und e y et i og och en ja & with con com amb")
)

# Words with which a family name begins, or a given name that does not end there: `van Dijk`, `Abdul Rahman`.
_BEGINS_NO_NAME = (
    _words("de da do das dos del della di du d der den des la las le les los lo van von vom zu zum zur ter ten af av")
    | _words("al el ibn bin ben bint abu abd abdul abdel abdal um umm mac mc st san santa saint são o'")
    | _words("عبد أبو ابو أم ابن بن آل בן בת אבו")
    # Family names of people of whom many write these first.
    | _words("""nguyen tran le pham hoang huynh phan vu vo dang bui do ho ngo duong ly dinh truong trinh
        wang li zhang liu chen yang huang zhao wu zhou xu sun ma zhu hu guo he lin gao luo zheng liang xie tang song
        deng han feng cao peng zeng xiao tian dong pan yuan cai jiang yu du ye cheng wei su lu ding ren shen yao
        wong chan cheung lau lam ng leung tse kim lee park choi jung jeong kang cho yoon jang lim shin seo kwon hwang
        tanaka suzuki sato takahashi watanabe ito yamamoto nakamura kobayashi kato
        nagy kovács kovacs tóth toth szabó szabo horváth horvath varga kiss molnár molnar németh nemeth farkas balogh
        papp takács takacs juhász juhasz lakatos mészáros meszaros oláh olah rácz racz fekete""")
)


# What programs write where there is no name, as they spell it: `Null` is a family name too, `null` is not.
_MACHINES = frozenset({"null", "(null)", "undefined", "None", "NaN", "nil", "<null>", "[object", "Object]"})
_NO_NAMES = frozenset(
    {"null", "none", "undefined", "unknown", "n/a", "na", "nan", "nil", "test", "-", "--", ".", "?"}
)


def without_placeholders(name: str) -> str:
    """The name without what a program wrote where there was none: `Ana null` is `Ana`, `null null` is empty."""
    words = [word for word in name.split() if word not in _MACHINES]
    return "" if _NO_NAMES.issuperset(map(str.casefold, words)) else " ".join(words)


def first_name_in(whole_name: str, locale: Json = None) -> str:
    """The given name in a whole name on one line, as it is written there; empty where there is any doubt.

    `locale` is the customer's own, if it is known: a Hungarian writes the family name first.
    """
    if _PLAIN.fullmatch(whole_name) is None or _VIETNAMESE.search(whole_name):
        return ""
    if isinstance(locale, str) and locale.replace("_", "-").partition("-")[0].casefold() in _FAMILY_FIRST:
        return ""
    words = whole_name.casefold().replace(".", "").split()
    if len(words) > _MOST_WORDS or words[0] in _BEGINS_NO_NAME or not _DOUBTFUL.isdisjoint(words):
        return ""
    if len(set(words)) == 1:  # typed to get past a form
        return ""
    first = whole_name.partition(" ")[0]
    if first.isupper() and not whole_name.isupper():  # forms have `SOUSA Ana`
        return ""
    if len(first) > _LONGEST:
        return ""
    return first.capitalize() if first.isupper() and first.isascii() and first.isalpha() else first
