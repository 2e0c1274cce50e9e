"""All that lies beside a task on its page, read in a handful of queries however much there is.

What hangs on one task or its conversation comes with the task itself; what can be chosen on the page is one more query,
and the patient's other requests another. Everything here is read for one viewer, whose field list decides what is kept.
"""

from queues.desk.beside import Desk, read, with_all
from queues.desk.earlier import Others, others
from queues.desk.offers import Choices, ask_with, choices, first_words

__all__ = ["Choices", "Desk", "Others", "ask_with", "choices", "first_words", "others", "read", "with_all"]
