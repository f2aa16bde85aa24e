"""The words of alerts, French and English: what a line of one says, from the line alone."""

import re

_CONTRACTS = (
    r"cdi|cdd|int[ée]rim(?:aire)?|freelance|ind[ée]pendante?|alternance|apprentissage|stages?|stagiaire"
    r"|contrat (?:de |en |d[' ])?(?:professionnalisation|pro|apprentissage|alternance)|permanent|permanente"
    r"|dur[ée]e (?:in)?d[ée]termin[ée]e|temps (?:plein|complet|partiel)|plein temps|mi-temps|vacation|saisonnier"
    r"|mission(?: d['’ ]?int[ée]rim| freelance)?|portage(?: salarial)?|vie|service civique|b[ée]n[ée]volat|volontariat"
    r"|profession lib[ée]rale|lib[ée]ral|franchise|fonctionnaire|titulaire|contractuel|contrat"
    r"|full[- ]time|part[- ]time|contract(?:or)?|temporary|temp|fixed[- ]term|internship|apprenticeship|casual"
)
_DURATION = r"\d{1,3}(?:\s?(?:à|-)\s?\d{1,3})?\s?(?:mois|months?|semaines?|weeks?|jours?|days?|ans?|years?|h|heures?)"
_CONTRACT = re.compile(_CONTRACTS, re.IGNORECASE)
_OF_CONTRACT = re.compile(r"(?:type de contrat|contrat|job type)\s?:\s?", re.IGNORECASE)
_DURATIONS = re.compile(_DURATION, re.IGNORECASE)
_JOINT = re.compile(r"\s*[,/|+•·()]\s*|\s+-\s+|\s+(?:ou|et|or|and|de)\s+", re.IGNORECASE)
_MONEY = re.compile(r"€|£|\$|\b(?:eur|euros?|usd|gbp|chf|tjm)\b|\bk€|\d\d\s?k\b", re.IGNORECASE)
_UNSAID = re.compile(
    r"(?:salaire|r[ée]mun[ée]ration|salary)\b.{0,40}|(?:salaire )?(?:selon (?:le )?profil|à n[ée]gocier|non (?:précisé|"
    r"communiqué)|competitive|negotiable)",
    re.IGNORECASE,
)
_REMOTE = re.compile(
    r"(?:t[ée]l[ée]travail|travail à distance|à distance|(?:full |100 ?% )?remote|hybrides?|hybrid|sur site|on[- ]site"
    r"|pr[ée]sentiel|distanciel|en t[ée]l[ée]travail|home office|work from home)"
    r"(?: (?:partiel|total|complet|occasionnel|ponctuel|r[ée]gulier|fr[ée]quent|possible|autoris[ée]|hybride|work|"
    r"full|ok|\d ?(?:j|jours?|days?)(?: ?/ ?| par | a )(?:semaine|sem|week)\.?))*",
    re.IGNORECASE,
)
_IN_BRACKETS = re.compile(r"\s*\(([^()]{1,40})\)$")
_PLACE = re.compile(
    r".{2,60}\s-\s(?:\d{2,3}|2[AB])|.{2,60}\((?:\d{2,5}|2[AB])\)|(?:\d{2}|2[AB]|97\d)\s-\s.{2,60}|\d{5}[\s,].{2,60}"
    r"|.{2,60}\s\d{5}|(?:.{2,50}, )?(?:france|belgique|belgium|suisse|switzerland|luxembourg|canada|united kingdom|uk|"
    r"united states|germany|deutschland|spain|italy|[îi]le-de-france|auvergne-rh[ôo]ne-alpes|bretagne|normandie|"
    r"occitanie|grand est|hauts-de-france|nouvelle-aquitaine|pays de la loire|centre-val de loire|corse|"
    r"provence-alpes-c[ôo]te d[’']azur|bourgogne-franche-comt[ée])|(?:paris|lyon|marseille)(?: \d{1,2}(?:er|e|ème)?)?"
    r"|toute la france|n[’']importe o[ùu]|anywhere|greater .{2,40} area",
    re.IGNORECASE,
)
_MARKED = re.compile(r"\b(?:[hf]\s?/\s?[hf](?:\s?/\s?[nxd])?|[mwfd]/[mwfd](?:/[mwfdx])?)\b", re.IGNORECASE)
_WHEN = re.compile(
    r"(?:publi[ée]e?s? |posted |mise? en ligne |il y a |depuis |active )?(?:il y a |le |on |about |plus de )?"
    r"(?:\d{1,3}\s?\+?\s?(?:minutes?|min|heures?|hours?|h|jours?|days?|j|d|semaines?|weeks?|mois|months?)(?: ago)?"
    r"|aujourd['’]hui|hier|today|yesterday|(?:à )?l['’]instant|just posted|just now|\d{1,2}/\d{1,2}/\d{2,4})\.?",
    re.IGNORECASE,
)
_RATING = re.compile(r"[0-5](?:[.,]\d)?(?:\s?(?:★|⭐|/\s?5|étoiles?|stars?|avis|reviews?).{0,20})?", re.IGNORECASE)
_BADGE = re.compile(
    r"(?:super recruteur|candidature (?:simplifi[ée]e|facile|rapide)|postulez? (?:simplement|rapidement|facilement)"
    r"|easily apply|easy apply|quick apply|employeur r[ée]actif|r[ée]ponse rapide|responsive employer|nouveau|nouvelle"
    r"|new|urgent|urgently hiring|sponsoris[ée]e?|sponsored|promoted|exclusivit[ée]|exclu|à la une|top (?:candidat|"
    r"applicant)|recrutement actif|actively (?:hiring|recruiting)|soyez le premier à postuler|be an early applicant"
    r"|voir le profil|offre partenaire|coup de c[œo]ur)\s?!?",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"(?:entreprise|soci[ée]t[ée]|company|lieu|ville|location|place|salaire|salary|type de (?:poste|contrat)|job type"
    r"|description(?: du poste)?|contrat|localisation|poste)\s?:?",
    re.IGNORECASE,
)
_BUTTON = re.compile(
    r"(?:voir|consulter|d[ée]couvrir|lire|ouvrir|acc[ée]der à|je d[ée]couvre|je consulte|voir et postuler à)"
    r"(?: (?:l['’ ]?|le |la |cette |ce |(?:tous )?les )?(?:offres?|postes?|annonces?|jobs?|emplois?|missions?"
    r"|d[ée]tails?|plus|opportunit[ée]s?)(?: d['’]emploi| en d[ée]tail| compl[èe]te)?(?: et postuler)?)?"
    r"|(?:je )?postule[rz]?(?: (?:maintenant|à l['’]offre|à cette offre|en ligne|ici|en 1 clic|d[èe]s maintenant))?"
    r"|en savoir plus|plus d['’]infos?(?:rmations?)?|candidater|d[ée]tails?"
    r"|(?:view|see|open|read|show|apply|learn)(?: (?:full )?(?:job|offer|details?|more|now|it|for this job|posting|"
    r"mission)(?: and apply| here)?)?",
    re.IGNORECASE,
)
_NAVIGATION = re.compile(
    r"d[ée]sabonn|d[ée]sinscri|unsubscribe|(?:vos|mes|your) (?:pr[ée]f[ée]rences|preferences|alertes?|alerts?"
    r"|crit[èe]res|param[èe]tres|settings|recherches?)|(?:g[ée]rer|modifier|supprimer|d[ée]sactiver|manage|edit|delete"
    r"|mettre en pause) |toutes les (?:offres|annonces|missions)"
    r"|(?:all|more|similar) jobs|plus d['’](?:offres|annonces|emplois)"
    r"|autres offres|offres similaires|confidentialit[ée]|privacy policy|mentions l[ée]gales|conditions g[ée]n[ée]rales"
    r"|terms of|cliquez ici|click here|version (?:en ligne|web)|navigateur|in your browser|espace candidat|mon compte"
    r"|my account|centre d['’]aide|help cent|aide et contact|contactez-nous|contact us|page d['’]aide|d[ée]couvrez "
    r"pourquoi|learn why|t[ée]l[ée]charg|download",
    re.IGNORECASE,
)
_NAVIGATIONS = re.compile(
    "aide|help|contact|cg[uv]|faq|blog|ici|here|facebook|instagram|youtube|linkedin|twitter|x|tiktok|app|accueil|home"
    "|premium|oui|non|yes|no|connexion|login|se connecter|s['’]inscrire|app store|google play|voir le profil"
    "|(?:my|mon) profile?|log in|sign (?:in|up)",
    re.IGNORECASE,
)
_EDGE = " \t-–—:•·*|>»→›←▶👉🔍📍💰🎓💻✅➡"
_OFFERS = (
    r"(?:(?:offres?|jobs?)(?: d['’]emplois?| offers?| openings?)?|missions?|annonces?|emplois?|postes?|stages?"
    r"|opportunit(?:[ée]s?|y|ies)|offers?|openings?|positions?|roles?|r[ée]sultats?|results?|matches)"
)
_NEW = r"(?:nouve(?:lles?|aux?|l)|new)"
_SEARCH = (
    r"(?:votre|vos|cette|ces|your|this|these) (?:job )?(?:alertes?|alerts?|recherches?|search(?:es)?|crit[èe]res"
    r"|criteria|profile?|pr[ée]f[ée]rences|preferences)(?: [^?!.,;:]{1,60})?"
)
_BECAUSE = (
    r"(?: (?:aujourd['’]hui|today|yet|hier|yesterday|(?:cette|this) (?:semaine|week)|ce mois(?:-ci)?|this month"
    r"|(?:right )?now|pour (?:le moment|l['’]instant)|(?:at|for) the moment|(?:trouv|publi)[ée]e?s?|disponibles?"
    r"|available|(?:(?:were|was|have been) )?(?:found|posted)"
    r"|n['’](?:a|ont) (?:encore )?[ée]t[ée] (?:trouv|publi)[ée]e?s?"
    rf"|(?:ne )?correspond(?:ent|ant)? (?:actuellement )?à {_SEARCH}|match(?:ing|es|ed)? {_SEARCH}"
    rf"|(?:pour|dans|for|in) {_SEARCH}))"
)
_NOTHING = re.compile(
    r"\W{0,3}(?:(?:d[ée]sol[ée]e?s?|malheureusement|oups|sorry|unfortunately)[ ,:!]{1,3})?"
    r"(?:(?:il n['’]y a |(?:nous|vous) n['’]av(?:ons|ez) (?:trouv[ée] )?|there (?:are|were|is) "
    r"|(?:we|you) (?:have|found) )?"
    # Without `new`, or a reason, it may be a counter, or the beginning of a sentence in parts.
    rf"(?:aucune?|pas d[e'’]|no|0|z[ée]ro) ?(?:{_NEW} {_OFFERS}|{_OFFERS}(?={_BECAUSE}))"
    rf"|nous n['’]avons (?:pas (?:encore )?trouv[ée] d[e'’] ?(?:{_NEW} )?{_OFFERS}|(?:encore )?rien trouv[ée])"
    r"|we (?:(?:could|did)(?:n['’]t| not) find|(?:have not|haven['’]t) found) any (?:new )?" + _OFFERS + r")"
    rf"{_BECAUSE}{{0,3}}",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    r"(?<![\w.,])(?:0{0,3}[1-9](?:[\s.,]?\d){0,8}\s?\+?(?:\s(?!aucune?\b|pas\b|no\b)[\w'’-]{1,30}){0,3}"
    rf"|(?:une|one)(?:\s{_NEW})?)\s{_OFFERS}\b",
    re.IGNORECASE,
)


def contract(text: str) -> bool:
    """Say whether a text names a kind of contract and nothing else: `CDI, temps plein`, `Freelance - 6 mois`."""
    if len(text) > 80:
        return False
    tokens = [token for token in _JOINT.split(_OF_CONTRACT.sub("", _core(text), count=1)) if token]
    named = [token for token in tokens if _CONTRACT.fullmatch(token)]
    return bool(named) and all(token in named or _DURATIONS.fullmatch(token) for token in tokens)


def salary(text: str) -> bool:
    """Say whether a text is what is paid: `45 000 - 50 000 € / an`, `55k-70k €`, `TJM 500`, `selon profil`."""
    if len(text) > 80:
        return False
    return bool(_MONEY.search(text) and re.search(r"\d", text)) or bool(_UNSAID.fullmatch(_core(text)))


def remote(text: str) -> bool:
    """Say whether a text says where one works from: `Télétravail partiel`, `Hybrid`, `Sur site`."""
    return len(text) <= 60 and bool(_REMOTE.fullmatch(_core(text)))


def place(text: str) -> bool:
    """Say whether a text is surely a place: `Lyon - 69`, `75 - Paris`, `Paris, France`. Most places are not sure."""
    return len(text) <= 90 and bool(_PLACE.fullmatch(_core(text)))


def title(text: str) -> bool:
    """Say whether a text is surely the title of an offer: it says that men and women are meant."""
    return len(text) <= 200 and bool(_MARKED.search(text))


def noise(text: str) -> bool:
    """Say whether a text says nothing of the offer: a date, a rating, a label, a sign."""
    short = _core(text)
    return not re.search(r"\w", short) or any(
        each.fullmatch(short) is not None for each in (_WHEN, _RATING, _LABEL) if len(short) <= 60
    )


def badge(text: str) -> bool:
    """Say whether a text is a badge that sites put on offers: `Super recruteur`, `Easily apply`."""
    return len(text) <= 60 and bool(_BADGE.fullmatch(_core(text)))


def button(text: str) -> bool:
    """Say whether a text is a button's: `Voir l'offre`, `Postuler`, `View job`."""
    return len(text) <= 60 and bool(_BUTTON.fullmatch(_core(text)))


def navigation(text: str) -> bool:
    """Say whether a text is that of a link that leads to no offer: `Se désabonner`, `Voir toutes les offres`."""
    return len(text) <= 120 and bool(_NAVIGATIONS.fullmatch(_core(text)) or _NAVIGATION.search(text))


def nothing(text: str) -> bool:
    """Say whether a line says that there is no offer today, and nothing else."""
    return len(text) <= 200 and bool(_NOTHING.fullmatch(_core(text)))


def counted(text: str) -> bool:
    """Say whether a text counts offers, more than none: `12 nouvelles offres`."""
    return bool(_COUNTED.search(text[:300]))


def bare(text: str) -> str:
    """Return a text without bullets, arrows and colons around it."""
    return text.strip(_EDGE)


def placed(text: str) -> tuple[str, str]:
    """Return a place and how one works there, which some sites put behind it in brackets: `Lyon (Hybride)`."""
    found = _IN_BRACKETS.search(text)
    if found and remote(found[1]):
        return text[: found.start()].rstrip(), found[1].strip()
    return text, ""


def _core(text: str) -> str:
    return bare(text).rstrip("!. ")
