"""What is known of equations before data are seen: terms that they have or may have, and variables with a dimension."""

from collections.abc import Sequence
from typing import NamedTuple

from sparsedyn.training.shooting import products as kinds
from sparsedyn.training.shooting.products import Known, Term

BARE = (kinds.SIN, kinds.COS, kinds.SIN_DIFFERENCE, kinds.COS_DIFFERENCE, kinds.LOG)
"""Functions that take numbers only, since no constant inside can make their argument one."""


class Prior(NamedTuple):
    """Terms of the known part, the variables that are no plain numbers, and what the other terms may be.

    Without `offered` ones, terms are those of the library, in every form.
    """

    known: tuple[Known, ...] = ()
    dimensional: frozenset[int] = frozenset()
    offered: tuple[Term, ...] = ()

    def allows(self, term: Term) -> bool:
        """Whether constants can make a term homogeneous."""
        return not any(one.code in BARE and ({one.first, one.second} & self.dimensional) for one in term.factors)

    def among(self, states: Sequence[int]) -> "Prior":
        """Return what is known of the equations of some states, which are then the first ones."""
        places = {state: place for place, state in enumerate(states)}
        own = [one._replace(equation=places[one.equation]) for one in self.known if one.equation in places]
        return self._replace(known=tuple(own))


NOTHING = Prior()
