"""What sites say instead of an offer, in English and French.

All is compared with folded texts: small letters, no accents, a single space for every sign ("n'est" is `n est`).
"""

import re


def _any(*phrases: str) -> str:
    return f"(?:{'|'.join(phrases)})"


_THE_OFFER = _any(
    "(?:this|the|that)(?: [a-z]+){0,2} "
    + _any("job", "position", "offer", "posting", "vacancy", "role", "ad", "advert", "listing", "opportunity")
    + "(?: (?:ad|advert|posting|offer|listing|opening))?"
    + "(?: (?:that )?you (?:are |re |were |ve )?(?:looking for|requested|trying to (?:view|access)))?"
)
_IS_GONE = _any("is", "has", "was", "may be", "may have", "appears to be") + _any(
    " (?:unfortunately |already |since )?no longer "
    + _any("available", "active", "open", "accepting applications", "posted", "online", "advertised", "on line"),
    "(?: unfortunately| already| since)? "
    + _any(
        "expired", "(?:been |now )?(?:closed|filled)", "(?:been )?(?:removed|deactivated|archived|taken down|deleted)"
    ),
    " (?:not available anymore|unavailable|inactive|not active)",
)
_L_OFFRE = _any(
    "(?:cette|l|la|ce|le|votre) ?(?:offre|annonce|poste|mission|opportunite)"
    "(?: d emploi| de stage| d alternance| de mission)?"
    "(?: que vous (?:souhaitez|recherchez|cherchez|avez demandee|voulez|tentez de|essayez de)(?: [a-z]+){0,2})?"
)
_N_EST_PLUS = _any(
    "n est (?:malheureusement |desormais )?plus "
    + _any(
        "disponible",
        "en ligne",
        "active",
        "d actualite",
        "ouverte?",
        "a pourvoir",
        "valide",
        "publiee",
        "visible",
        "accessible",
        "proposee?",
    ),
    "n existe plus",
    "(?:a|est) (?:deja |desormais )?(?:ete )?"
    + _any("expiree?", "pourvue?", "cloturee?", "fermee?", "supprimee?", "archivee?", "retiree?", "desactivee?"),
    "n accepte plus (?:de |les )?candidatures?",
    "est (?:close|terminee?)",
)
_BARE = _any(
    "no longer accepting applications",
    "n accepte plus de candidatures",
    "les candidatures sont closes",
    "applications? (?:for this (?:job|position|role) )?(?:are|is) (?:now )?closed",
    "job (?:is )?no longer available",
    "(?:offre|annonce) (?:d emploi )?(?:expiree|pourvue|cloturee|indisponible|archivee)",
    "(?:job|offer|position) (?:expired|closed|filled)",
)
_SORRY = _any(
    *("sorry", "oops", "we re sorry", "we are sorry", "unfortunately", "desole", "oups", "malheureusement", "attention")
)
_REST = _any("(?:on|at|sur|chez) [a-z0-9]+", "at this time", "anymore", "desormais", "depuis .{1,30}")

GONE = re.compile(
    rf"(?:{_SORRY} )?(?:{_THE_OFFER} (?:{_IS_GONE}|no longer exists)|{_L_OFFRE} {_N_EST_PLUS}|{_BARE})(?: {_REST})?"
)
"""A whole sentence by which an offer is gone."""

GONE_TITLE = re.compile(
    _any(
        "(?:job|position|offer|page) (?:not found|unavailable|expired)",
        "(?:offre|page|annonce) (?:non trouvee|introuvable)",
        "(?:erreur|error) 404",
        "404(?: (?:not found|error|erreur|page .{1,30}))?",
        "not found",
    )
)
"""A whole title, or a part of one, of a page that is there instead of one that is gone."""

ROBOT_TITLE = re.compile(
    _any(
        *("just a moment", "un instant", "attention required", "access denied", "acces refuse", "captcha"),
        *("access to this page has been denied", "pardon our interruption", "ddos guard", "robot check", "blocked"),
        *("security check", "verification de securite", "bot verification", "are you (?:a )?(?:robot|human)"),
        "(?:please )?verify(?:ing)? you are (?:a )?human",
    )
)
"""How the title of a page begins that asks whether a person is there."""

ROBOT_TEXT = re.compile(
    _any(
        "verify(?:ing)? (?:that )?you are (?:a |not a )?(?:human|robot)",
        "verifiez que vous etes (?:un )?(?:etre )?humain",
        "prouvez que vous etes (?:un )?(?:etre )?humain",
        "confirm(?:ez|er)? que vous n etes pas un robot",
        *("you are not a robot", "unusual (?:traffic|activity)", "trafic inhabituel", "activite inhabituelle"),
        *("incapsula incident", "enable javascript and cookies to continue", "request could not be satisfied"),
        *("automated access", "acces automatise", "please enable js and disable any ad blocker"),
    )
)
"""What the text of such a page says."""
