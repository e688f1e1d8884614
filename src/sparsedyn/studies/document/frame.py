"""The frame of all reports: title, conclusions, how the study was run, definitions."""

from collections.abc import Mapping, Sequence
from typing import Any

from sparsedyn.studies.document.blocks import Document, Fold, Section, Text
from sparsedyn.studies.document.run_facts import facts, machine
from sparsedyn.studies.document.text import code_block, definitions, paragraphs, plain
from sparsedyn.studies.spec import AbstractStudySpec
from sparsedyn.studies.stored import StoredStudy
from sparsedyn.studies.toml import to_toml


def framed(
    study: StoredStudy[Any],
    sections: Sequence[Section],
    *,
    size: str,
    answer: Sequence[str],
    meanings: Mapping[str, str],
    notes: Sequence[str] = (),
) -> Document:
    """Return the report on a study with its own `sections`, of which empty ones are left out.

    `size` says in a sentence how large the study is, `notes` what a reader must bear
    in mind, `meanings` what words mean, all in plain text; the sentences of the `answer` are Markdown.
    """
    own = [
        Section("answer", "In short", [Text("\n\n".join(answer))] if answer else []),
        Section("run", "What was run", _how(study.spec, study.run, size, notes)),
        *sections,
        Section("meanings", "What the numbers mean", [Text(definitions(meanings))] if meanings else []),
    ]
    title = study.spec.title or study.spec.name
    return Document(title, paragraphs(study.spec.description), [section for section in own if section.blocks])


def _how(spec: AbstractStudySpec, run: Mapping[str, Any], size: str, notes: Sequence[str]) -> list[Text | Fold]:
    command = [Text(code_block(str(run["command"])))] if run.get("command") else []
    known = facts(run)
    record = [Fold("The record of the run", [Text(definitions(known))])] if known else []
    listed = [Text("\n".join(f"- {plain(note)}" for note in notes))] if notes else []
    return [
        *command,
        Text(" ".join(part for part in (plain(f"Seed {spec.seed}; {size}"), machine(run)) if part)),
        *listed,
        *record,
        Fold("The study as TOML", [Text(code_block(to_toml(spec.resolved()), "toml"))]),
    ]
