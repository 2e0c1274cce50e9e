"""FHIR R4 Questionnaires as forms a person can fill in, and what comes of the answers.

A pure package: no models, no clock, nothing read but its own data files. `docs/questionnaires.md` tells what of R4 and
SDC is understood, how fields are named, and which style classes the fragments use.
"""

from .items import Item, Option, Page, Questionnaire
from .loading import export, inspect, inspect_value_sets, load
from .posting import accept, place_of, still_known
from .problems import Problem, QuestionnaireError, UnknownField
from .render import render_page
from .state import FieldError, State, evaluate
from .values import Answer, Context

__all__ = [
    "Answer",
    "Context",
    "FieldError",
    "Item",
    "Option",
    "Page",
    "Problem",
    "Questionnaire",
    "QuestionnaireError",
    "State",
    "UnknownField",
    "accept",
    "still_known",
    "evaluate",
    "export",
    "inspect",
    "inspect_value_sets",
    "load",
    "place_of",
    "render_page",
]
