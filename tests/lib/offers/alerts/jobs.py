"""The offers of the synthetic alerts: firms, people and texts are made up."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Job:
    title: str
    firm: str
    city: str
    department: str
    contract: str = "CDI"
    salary: str = ""
    remote: str = ""


JOBS = (
    Job("Data Analyst H/F", "Hélio Données", "Lyon", "69", "CDI", "42 000 - 48 000 € / an"),
    Job(
        "Ingénieur DevOps - Kubernetes H/F",
        "Nuage Clair",
        "Nantes",
        "44",
        "CDI",
        "55 000 - 65 000 € / an",
        "Télétravail partiel",
    ),
    Job("Chef de projet SI - CDI (F/H)", "Mutuelle des Quais", "Bordeaux", "33", "CDI"),
    Job("Développeur Full-Stack Python | React", "Atelier Borée", "Paris", "75", "CDI", "50 000 € / an", "Télétravail"),
    Job("Responsable R&D Polymères", "Verre Bleu & Fils", "Clermont-Ferrand", "63", "CDI"),
    Job("Contrôleur de gestion industriel H/F", "Tissages Lambert", "Roubaix", "59", "CDD", "38 000 € / an"),
    Job("Alternance - Chargé de communication H/F", "Ville de Lyon", "Lyon", "69", "Alternance"),
    Job(
        "Technicien de maintenance itinérant (H/F)", "Salines du Nord", "Dunkerque", "59", "Intérim", "14,50 € / heure"
    ),
    Job("C++ Developer, Embedded Systems", "Kestrel Robotics", "Grenoble", "38", "CDI"),
    Job("Stage - Analyste développement durable", "Paris Habitat Synthétique", "Paris", "75", "Stage"),
    Job("Product Owner Paiement", "Pont-Neuf Conseil", "Montreuil", "93", "CDI", "", "Hybride"),
    Job("Infirmier de santé au travail H/F", "Groupe Ormeau", "Rennes", "35", "CDD", "2 600 € par mois"),
    Job("Architecte Cloud Azure / AWS", "Nuage Clair", "Puteaux", "92", "Freelance", "600 € / jour", "Hybride"),
    Job("Comptable général en CDI H/F", "Cabinet Sarment", "Aix-en-Provence", "13", "CDI", "32 000 - 36 000 € / an"),
    Job("Head of Operations", "Lumen Logistics", "Lille", "59", "CDI"),
    Job("Enseignant de mathématiques", "Lycée Fictif Jean-Moulin", "Brest", "29", "CDD"),
    Job("Data Engineer Senior (Spark, dbt)", "Hélio Données", "Toulouse", "31", "CDI", "60 000 € / an", "Télétravail"),
    Job("Conducteur de travaux TCE H/F", "Bâtir Ensemble", "Saint-Étienne", "42", "CDI"),
    Job("UX Designer – design system", "Studio Marelle", "Montpellier", "34", "Freelance", "400 € / jour"),
    Job("Juriste droit social H/F", "Mutuelle des Quais", "Paris", "75", "CDI", "", "Télétravail partiel"),
    Job("Assistant·e de direction", "Fondation Clairière", "Strasbourg", "67", "CDD"),
    Job("Ingénieur d'études CVC", "Thermique Alpine", "Annecy", "74", "CDI"),
    Job("Acheteur projets / Category Manager", "Aérostructures Vega", "Blagnac", "31", "CDI", "48 000 € / an"),
    Job("Consultant SAP FI/CO", "Quartz Intégration", "Courbevoie", "92", "CDI", "", "Hybride"),
    Job("Responsable magasin", "Comptoir Sarrasin", "Quimper", "29", "CDI"),
    Job("Chercheur en apprentissage automatique", "Institut Bélier", "Gif-sur-Yvette", "91", "CDD"),
    Job("Développeur Java/Angular", "Banque du Littoral", "Niort", "79", "CDI", "40 000 - 45 000 € / an"),
    Job("Animateur QSE", "Cartons de l'Ouest", "Cholet", "49", "Intérim"),
    Job("Scrum Master", "Pont-Neuf Conseil", "Lyon", "69", "Freelance", "550 € / jour", "Hybride"),
    Job("Chargé d'études statistiques", "Observatoire des Rives", "Rouen", "76", "CDD"),
)
"""Thirty of them; some have in their titles what other lines say."""


def jobs(begin: int, count: int) -> list[Job]:
    """Return some of the offers, going round."""
    return [JOBS[(begin + each) % len(JOBS)] for each in range(count)]


def without(job: Job, *names: str) -> Job:
    """Return an offer of which an alert does not say everything."""
    return replace(job, **dict.fromkeys(names, ""))
