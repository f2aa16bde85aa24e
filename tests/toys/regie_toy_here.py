"""Carry out a run of the toy workflow in this process: a new one of the parameters in JSON, or one by its id."""

import json
import sys

from deployments.here import begin_again_here, begin_here, carry_out_here
from lib.workflows import workflows

toy = workflows()["toy"]
asked = sys.argv[1]
if asked.startswith("{"):
    run_id = begin_here(toy, json.loads(asked))
else:
    run_id = asked
    begin_again_here(run_id)
print(run_id, flush=True)
carry_out_here(toy, run_id)
