"""The three phases of `offers`, declared once."""

from lib.runs.plan import Phase, Workflow

OFFERS = Workflow(
    key="offers",
    name="Offers",
    flow="flows.offers.pipeline:offers_pipeline",
    subject="mail",
    engines="flows.offers.engines:engines",
    items="flows.offers.items:items",
    defaults="lib.offers.defaults:parameters",
    view="offers",
    phases=(
        Phase(1, "import", "Import", "flows.offers.importing:import_phase", "base", weight=10),
        Phase(
            2, "complete", "Complete", "flows.offers.completing:complete_phase", "base", after=("import",), weight=50
        ),
        Phase(
            3, "analyse", "Analyse", "flows.offers.analysing:analyse_phase", "base",
            after=("import", "complete"), weight=40,
        ),
    ),
)  # fmt: skip
