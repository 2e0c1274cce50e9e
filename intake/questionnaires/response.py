"""Writing the QuestionnaireResponse (R4): the items that are asked and answered, nested as the questionnaire is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .values import Answer

if TYPE_CHECKING:
    from .tree import Node, Tree


def response(tree: Tree, status: str = "completed", **more: Any) -> dict[str, Any]:
    """The resource. `more` are further elements by their FHIR names: subject, author, source, identifier, id …"""
    found: dict[str, Any] = {"resourceType": "QuestionnaireResponse", "status": status}
    if tree.q.url:
        found["questionnaire"] = tree.q.url
    if tree.language and tree.language != tree.q.language:
        found["language"] = tree.language
    now = tree.context.now
    found["authored"] = (now if now.tzinfo else now.astimezone()).isoformat(timespec="seconds")
    found.update({key: value for key, value in more.items() if value is not None})
    items = items_of(tree.roots, tree.language)
    if items:
        found["item"] = items
    return found


def items_of(nodes: Sequence[Node], language: str) -> list[dict[str, Any]]:
    """The items of these nodes. Repetitions of a question become answers of one item; those of a group, items."""
    items: list[dict[str, Any]] = []
    last_question: str | None = None
    for node in nodes:
        item = node.item
        if not node.enabled or item.kind == "display":
            continue
        if not item.asks:
            below = items_of(node.children, language)
            if below:
                items.append(_item(node, language, {"item": below}))
            last_question = None
            continue
        answers = [answer_of(answer) for answer in node.answers]
        if not answers:
            continue
        if node.children:
            below = items_of(node.children, language)
            if below:
                answers[0]["item"] = below
        if node.row and last_question == item.link_id:
            items[-1]["answer"].extend(answers)
        else:
            items.append(_item(node, language, {"answer": answers}))
        last_question = item.link_id
    return items


def _item(node: Node, language: str, content: dict[str, Any]) -> dict[str, Any]:
    text = node.text if node.text is not None else node.item.wording.in_language(language)
    return {"linkId": node.item.link_id, **({"text": text} if text else {}), **content}


def answer_of(answer: Answer) -> dict[str, Any]:
    value = dict(answer.value) if isinstance(answer.value, dict) else answer.value
    return {f"value{answer.type[0].upper()}{answer.type[1:]}": value}
