"""Every write of triage: deciding, editing a draft of the rules, and letting a version of them decide."""

from triage.actions.deciding import (
    decide,
    deciding,
    digests_of,
    keep_readings,
    kept_readings,
    preview,
    read_texts,
)
from triage.actions.drafts import (
    ask_for_proof,
    discard_draft,
    import_draft,
    remove_promise,
    remove_rule,
    save_promise,
    save_rule,
    start_draft,
)
from triage.actions.releases import (
    accept_lost_flag,
    approve,
    keep_baseline,
    publish,
    roll_back,
    start_replay,
)
from triage.loading import compile_rows, compiled
from triage.proving import problems

__all__ = [
    "accept_lost_flag",
    "approve",
    "ask_for_proof",
    "compile_rows",
    "compiled",
    "decide",
    "deciding",
    "digests_of",
    "discard_draft",
    "import_draft",
    "keep_baseline",
    "keep_readings",
    "kept_readings",
    "preview",
    "problems",
    "publish",
    "read_texts",
    "remove_promise",
    "remove_rule",
    "roll_back",
    "save_promise",
    "save_rule",
    "start_draft",
    "start_replay",
]
