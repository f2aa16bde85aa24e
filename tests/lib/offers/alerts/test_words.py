"""What a line of an alert says, from the line alone."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.offers.alerts import words

CONTRACTS = (
    "CDI", "CDD", "cdi", "Intérim", "Freelance", "Indépendant", "Alternance", "Stage", "CDI, Temps plein",
    "CDD - 6 mois",
    "Freelance, CDI", "CDI / Freelance", "Permanent", "Full-time", "Contract", "Internship", "Part time", "Plein temps",
    "Contrat d'apprentissage", "CDD de 12 mois", "Intérim - 3 à 6 mois", "CDI •", "Type de contrat : CDI", "Fixed-term",
)  # fmt: skip
SALARIES = (
    "45 000 - 50 000 € / an", "55k-70k €", "400-550 €", "De 42 000 € à 55 000 € par an", "2 600 € par mois", "TJM 500",
    "EUR 80 000 - 100 000", "$74K-$76K / year", "£45,000", "14,50 € / heure", "Selon profil", "Salaire à négocier",
    "Entre 3,5 k € et 4,5 k € par mois", "CHF 120'000", "40-45 k€",
)  # fmt: skip
REMOTES = (
    "Télétravail", "Télétravail partiel", "Télétravail total", "Hybride", "Hybrid", "Remote", "Full remote", "Sur site",
    "On-site", "À distance", "Télétravail 2 jours par semaine", "100% remote", "Présentiel",
)  # fmt: skip
PLACES = (
    "Lyon - 69", "Paris 8e - 75", "Bordeaux (33)", "75 - PARIS", "2A - AJACCIO", "69003 Lyon", "Paris, France",
    "France",
    "Île-de-France", "Paris", "Greater Melbourne Area", "N'importe où", "Lyon 3e - 69",
)  # fmt: skip
NOISE = (
    "il y a 2 jours", "Publié hier", "Aujourd’hui", "Posted 3 days ago", "Just posted", "4.1", "3,8/5 étoiles", "•",
    "-",
    "Salaire", "Type de poste", "à l'instant", "Publiée il y a 3 jours", "12/11/2026",
)  # fmt: skip
BUTTONS = (
    "Voir l'offre", "Voir l’offre", "Voir l’offre d’emploi :", "Voir", "Postuler", "Je postule", "Apply", "Apply now",
    "View job", "View job:", "View full details and apply", "En savoir plus", "Voir le poste →", "Voir l'emploi",
    "Postuler maintenant", "Découvrir l'offre", "Voir tous les détails et postuler", "Learn more",
)  # fmt: skip
BADGES = (
    "Super recruteur",
    "Candidature simplifiée",
    "Easily apply",
    "Nouveau",
    "Urgent",
    "Sponsorisé",
    "Top candidat",
)
NAMES = (
    "Data Analyst H/F", "Head of Operations", "Contract Manager", "Stage Manager", "Permanent Secretary",
    "Remote Sensing Scientist",
    "Juriste contrats", "Voir & Cie", "Nouvelle Vague", "Cabinet Sarment", "CDI Conseil", "Société Générale",
    "Groupe Ormeau",
    "Ingénieur salaires et avantages", "Applied Materials", "View Studios", "Chargé d'aide à domicile",
    "Privacy Engineer", "Studio 4K",
)  # fmt: skip

SAID = {
    words.contract: CONTRACTS, words.salary: SALARIES, words.remote: REMOTES, words.place: PLACES, words.noise: NOISE,
    words.button: BUTTONS, words.badge: BADGES,
}  # fmt: skip


@pytest.mark.parametrize(("says", "texts"), SAID.items(), ids=lambda each: getattr(each, "__name__", ""))
def test_a_line_is_known_for_what_it_is(says: object, texts: tuple[str, ...]) -> None:
    assert [text for text in texts if not says(text)] == []  # type: ignore[operator]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_none_of_that(name: str) -> None:
    assert [says.__name__ for says in (*SAID, words.navigation) if says(name)] == []


@pytest.mark.parametrize(("text", "apart"), [
    ("Lyon (Hybride)", ("Lyon", "Hybride")), ("Lyon (69)", ("Lyon (69)", "")), ("Lyon", ("Lyon", "")),
    ("France (À distance)", ("France", "À distance")), ("(Remote)", ("", "Remote")),
])  # fmt: skip
def test_how_one_works_is_taken_from_the_place(text: str, apart: tuple[str, str]) -> None:
    assert words.placed(text) == apart


EMPTY = (
    "Aucune nouvelle offre aujourd'hui", "Aucune nouvelle offre", "😕 Aucune nouvelle offre d’emploi.",
    "Il n'y a pas de nouvelle mission cette semaine", "Pas d'offre trouvée", "Désolé, aucune offre disponible !",
    "Aucune offre ne correspond à vos critères", "Aucune annonce n'a été publiée pour votre alerte Data Analyst à Lyon",
    "Nous n'avons pas trouvé de nouvelle offre", "Nous n'avons rien trouvé pour votre recherche",
    "Nous n'avons trouvé aucune nouvelle offre", "0 nouvelle offre", "0 nouvelles offres pour votre alerte",
    "No new jobs match your search today", "No results found", "There are no new jobs", "We couldn't find any new jobs",
)  # fmt: skip
NOT_EMPTY = (
    "5 nouvelles offres", "10 nouvelles offres", "10 offres", "Aucune offre ne vous convient ? Modifiez votre alerte",
    "Aucune nouvelle offre ?", "Aucune offre ne vous convient", "Pas de missions qui vous plaisent ?", "No results?",
    "No results", "0 offre enregistrée", "0 offre", "Aucune offre sauvegardée", "Ne manquez aucune nouvelle offre",
    "Aucune offre", "Aucune offre dans vos favoris", "No new jobs found? Change your alert", "No jobs you like",
    "Data Analyst : aucune nouvelle offre. Data Engineer : 5 nouvelles offres", "Pas de", "", "Aucune nouvelle",
)  # fmt: skip


@pytest.mark.parametrize("text", EMPTY)
def test_a_line_says_that_there_is_nothing(text: str) -> None:
    assert words.nothing(text)


@pytest.mark.parametrize("text", NOT_EMPTY)
def test_a_line_that_asks_counts_or_says_more_does_not_say_that_there_is_nothing(text: str) -> None:
    assert not words.nothing(text)


@pytest.mark.parametrize("text", [
    "12 nouvelles offres", "Data Analyst : 1 nouvelle offre", "30+ new jobs for you", "1 200 offres d'emploi",
    "1,200 jobs", "10 nouvelles offres", "Une nouvelle offre à Lyon", "« data » : 8 nouvelles missions freelance",
    "5 offres et 0 nouvelle alerte", "3 job openings", "7 nouveaux résultats",
])  # fmt: skip
def test_a_subject_counts_offers(text: str) -> None:
    assert words.counted(text)


@pytest.mark.parametrize("text", [
    "0 nouvelle offre", "Vos offres du 12 novembre", "Aucune nouvelle offre", "Le 12 novembre aucune nouvelle offre",
    "2 alertes : pas de nouvelle offre", "Une alerte sans nouvelle offre", "00 offre", "Offres 2026", "",
])  # fmt: skip
def test_a_subject_counts_none(text: str) -> None:
    assert not words.counted(text)


@given(
    text=st.text(max_size=100)
    | st.lists(st.sampled_from([*CONTRACTS, *REMOTES, " - ", ", ", " ", "(", "\u2028"])).map("".join)
)
def test_no_text_is_too_odd(text: str) -> None:
    for says in (*SAID, words.navigation, words.title, words.nothing, words.counted):
        assert says(text) in {True, False}
    words.placed(text)


TAILS = ("aucune nouvelle offre pour votre alerte ", "no new jobs found for your search ", "1 ", "1 a ", "11,")


@pytest.mark.parametrize(
    "piece", ["télétravail ", "a - ", "cdi, ", "voir l'offre ", "(", "france, ", "contrat de ", "x", *TAILS]
)
def test_no_text_takes_long(piece: str) -> None:
    text = piece * (2000 // len(piece))
    begin = time.process_time()
    for cut in (text[:60], text[:80], text[:120], text):
        for says in (*SAID, words.navigation, words.title, words.nothing, words.counted):
            says(cut)
    assert time.process_time() - begin < 1
