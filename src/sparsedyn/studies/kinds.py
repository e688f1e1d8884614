"""The kinds of studies, by the names that specs have for them."""

from functools import cache
from pkgutil import resolve_name

from sparsedyn.studies.errors import Misfit, near_miss, shown
from sparsedyn.studies.kind import Kind
from sparsedyn.studies.providers import providers
from sparsedyn.studies.spec import AbstractStudySpec

DEFAULT = "comparison"
"""The kind of a spec that names none."""


def kind_of(spec: AbstractStudySpec) -> Kind:
    """Return the kind of a spec."""
    return _resolved(_known()[spec.kind])


def kind_named(name: object) -> Kind:
    """Return the kind of a name; raises `Misfit` where no package has such a kind."""
    known = _known()
    if not isinstance(name, str) or name not in known:
        listed = ", ".join(repr(kind) for kind in known)
        raise Misfit(("kind",), f"expected one of {listed}; got {shown(name)}.{near_miss(str(name), known)}")
    return _resolved(known[name])


def _known() -> dict[str, str]:
    return {name: place for provider in providers().values() for name, place in provider.kinds.items()}


@cache
def _resolved(place: str) -> Kind:
    kind: Kind = resolve_name(place)
    return kind
