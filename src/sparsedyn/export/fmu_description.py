"""The XML that describes an FMU."""

import re
from typing import NamedTuple
from xml.etree import ElementTree as Xml

from sparsedyn._version import __version__
from sparsedyn.export.header import facts
from sparsedyn.export.program import Program, Variable

UNKNOWN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML has no way to write."""
Attributes = dict[str, str]


class Described(NamedTuple):
    """A variable, and what it is to a simulator."""

    variable: Variable
    reference: int
    causality: str
    initial: str | None


def described(program: Program) -> list[Described]:
    """Return all variables. What a model of no dynamics is evaluated at are inputs."""
    moves = program.rhs is not None or program.following is not None
    kinds = [
        *((one, ("output", "exact") if moves else ("input", None)) for one in program.states),
        *((one, ("input", None)) for one in program.inputs),
        *((one, ("output", "calculated")) for one in program.outputs),
    ]
    return [Described(one, i, *kind) for i, (one, kind) in enumerate(kinds, 1)]


def description(program: Program, version: int, name: str, token: str) -> str:
    """Return `modelDescription.xml`."""
    root = Xml.Element(
        "fmiModelDescription",
        {
            "fmiVersion": f"{version}.0",
            "modelName": name,
            ("guid" if version == 2 else "instantiationToken"): token,
            "description": _text(" ".join(facts(program))),
            "generationTool": f"sparsedyn {__version__}",
            "variableNamingConvention": "flat",
        },
    )
    kind: Attributes = {"modelIdentifier": name, "canHandleVariableCommunicationStepSize": "true"}
    kind["canGetAndSetFMUstate" if version == 2 else "canGetAndSetFMUState"] = "true"
    if version == 3:
        kind["fixedInternalStepSize"] = repr(program.dt)
    stepped = Xml.SubElement(root, "CoSimulation", kind)
    if version == 2:
        Xml.SubElement(Xml.SubElement(stepped, "SourceFiles"), "File", name="fmi2.c")
    variables = described(program)
    units = sorted({_text(one.variable.unit) for one in variables if one.variable.unit})
    if units:
        of = Xml.SubElement(root, "UnitDefinitions")
        for unit in units:
            Xml.SubElement(of, "Unit", name=unit)
    Xml.SubElement(
        root, "DefaultExperiment", startTime="0", stopTime=repr(1000 * program.dt), stepSize=repr(program.dt)
    )
    (_second if version == 2 else _third)(root, variables)
    Xml.indent(root)
    return _document(root)


def build_description(name: str) -> str:
    """Return `buildDescription.xml` of FMI 3.0."""
    root = Xml.Element("fmiBuildDescription", fmiVersion="3.0")
    built = Xml.SubElement(root, "BuildConfiguration", modelIdentifier=name)
    Xml.SubElement(Xml.SubElement(built, "SourceFileSet", language="C99"), "SourceFile", name="fmi3.c")
    Xml.SubElement(built, "Library", name="m")
    Xml.indent(root)
    return _document(root)


def _second(root: Xml.Element, variables: list[Described]) -> None:
    """Variables and their structure as FMI 2.0 has them; places count from 1."""
    listed = Xml.SubElement(root, "ModelVariables")
    for one in variables:
        scalar = Xml.SubElement(listed, "ScalarVariable", _attributes(one))
        Xml.SubElement(scalar, "Real", _number(one))
    structure = Xml.SubElement(root, "ModelStructure")
    for part, of in (("Outputs", ("exact", "calculated")), ("InitialUnknowns", ("calculated",))):
        unknowns = [(place, one) for place, one in enumerate(variables, 1) if one.initial in of]
        if unknowns:
            parent = Xml.SubElement(structure, part)
            for place, one in unknowns:
                Xml.SubElement(parent, "Unknown", {"index": str(place), **_dependencies(one)})


def _third(root: Xml.Element, variables: list[Described]) -> None:
    """Variables and their structure as FMI 3.0 has them."""
    listed = Xml.SubElement(root, "ModelVariables")
    time = {"name": "time", "valueReference": "0", "causality": "independent", "variability": "continuous"}
    Xml.SubElement(listed, "Float64", time)
    for one in variables:
        Xml.SubElement(listed, "Float64", _attributes(one) | _number(one))
    structure = Xml.SubElement(root, "ModelStructure")
    for part, of in (("Output", ("exact", "calculated")), ("InitialUnknown", ("calculated",))):
        for one in variables:
            if one.initial in of:
                Xml.SubElement(structure, part, {"valueReference": str(one.reference), **_dependencies(one)})


def _attributes(one: Described) -> Attributes:
    found = {
        "name": one.variable.identifier,
        "valueReference": str(one.reference),
        "description": _text(one.variable.name),
        "causality": one.causality,
        "variability": "continuous",
    }
    return found if one.initial is None else found | {"initial": one.initial}


def _number(one: Described) -> Attributes:
    found = {} if one.initial == "calculated" else {"start": repr(one.variable.start)}
    return found | ({"unit": _text(one.variable.unit)} if one.variable.unit else {})


def _dependencies(one: Described) -> Attributes:
    """States follow from no value of now; outputs may follow from any."""
    return {"dependencies": ""} if one.initial == "exact" else {}


def _text(given: str) -> str:
    return UNKNOWN.sub("\N{REPLACEMENT CHARACTER}", given)


def _document(root: Xml.Element) -> str:
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(root, encoding="unicode") + "\n"
