"""What keeps answers from being sent, each with the sentence that says what to do about it."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .items import Item
from .tree import Node, Tree
from .values import check_limits


@dataclass(frozen=True, slots=True)
class FieldError:
    """One mistake: the field it belongs to ("" for the form as a whole), a sentence, and where to find it."""

    name: str
    message: str
    link_id: str
    page_id: str


def find_mistakes(tree: Tree, *, unsettled: bool) -> list[FieldError]:
    """Every mistake, in the questionnaire's order. Only what is asked can be wrong."""
    found = [
        _error(tree, node.name, message, node.item)
        for node in tree.walk()
        if node.enabled
        for message in _messages(node, tree)
    ]
    found.extend(_row_errors(tree))
    order = tree.q.order
    found.sort(key=lambda error: order[error.link_id])
    first = tree.q.pages[0].id if tree.q.pages else ""
    found.extend(FieldError("", human, "", first) for place, human in tree.broken if place is None)
    if unsettled:
        found.append(
            FieldError(
                "", _("This form can't tell which questions to ask. Please call us instead."), "", first
            )
        )
    return found


def hidden(node: Node) -> bool:
    """Is it kept from view by its author? What is inside something hidden is hidden too."""
    return node.item.hidden


def _error(tree: Tree, name: str, message: str, item: Item) -> FieldError:
    page = tree.q.page_of.get(item.link_id)
    return FieldError(name, message, item.link_id, (page or tree.q.pages[0]).id)


def _messages(node: Node, tree: Tree) -> list[str]:
    item = node.item
    messages: list[str] = []
    if item.writable and not hidden(node):
        messages += [sentence for _place, sentence in node.refusals]
        messages += [
            sentence for answer in node.answers if (sentence := check_limits(item, answer, node.limits))
        ]
        messages += _count_messages(node)
        if not messages and item.required and not node.answers:
            messages.append(_required(item))
    elif item.kind == "group" and item.required and node.children and not hidden(node) and _left_empty(node):
        messages.append(_("Please answer at least one of these questions."))
    messages += [human for place, human in tree.broken if place is node]
    return list(dict.fromkeys(messages))


def _left_empty(node: Node) -> bool:
    """A group somebody could answer and nobody did, where no question in it says so itself."""
    asked = [below for below in node.walk() if below.enabled and below.item.writable and not hidden(below)]
    return bool(asked) and node.is_empty() and not any(below.item.required for below in asked)


def _required(item: Item) -> str:
    if item.kind == "boolean" and item.control == "check-box":
        return _("Please tick the box to go on.")
    if item.options or item.kind == "boolean":
        return _("Please choose an answer.")
    return _("Please add a file.") if item.kind == "attachment" else _("Please answer this question.")


def _count_messages(node: Node) -> list[str]:
    """Too many answers, too few, or one that can't stand beside others."""
    item, count = node.item, len(node.answers)
    alone = next((answer for answer in node.answers if answer.option and answer.option.exclusive), None)
    if alone is not None and count > 1:
        return [_("“%(choice)s” can't be chosen together with other answers.") % {"choice": alone.text}]
    if not item.many:
        return []
    if item.limits.max_occurs is not None and count > item.limits.max_occurs:
        return [_at_most(item.limits.max_occurs)]
    if count < item.limits.min_occurs and (count or item.required):
        return [_at_least(item.limits.min_occurs)]
    return []


def _row_errors(tree: Tree) -> list[FieldError]:
    """Too few or too many repetitions, for each place they can stand in."""
    found = []
    for item in tree.q.row_items:
        places: dict[str, list[Node]] = {}
        for node in tree.by_link.get(item.link_id, ()):
            if node.enabled and not hidden(node):
                places.setdefault(node.place, []).append(node)
        for place, nodes in places.items():
            count = sum(1 for node in nodes if node.row is not None)
            least = max(item.limits.min_occurs, 1 if item.required and not item.asks else 0)
            most = item.limits.max_occurs
            if count < least:
                found.append(_error(tree, place, _at_least(least), item))
            elif most is not None and count > most:
                found.append(_error(tree, place, _at_most(most), item))
    return found


def _at_least(least: int) -> str:
    return ngettext(
        "Please give at least %(least)d answer.", "Please give at least %(least)d answers.", least
    ) % {"least": least}


def _at_most(most: int) -> str:
    return ngettext("Please give at most %(most)d answer.", "Please give at most %(most)d answers.", most) % {
        "most": most
    }
