"""Reports as documents: sections of text, tables and pictures, written as a page of Markdown or of HTML."""

from sparsedyn.studies.document.blocks import (
    Block,
    Chart,
    Column,
    Document,
    Entry,
    Fold,
    Picture,
    Section,
    Table,
    Text,
)
from sparsedyn.studies.document.text import bold, code, paragraphs, plain

__all__ = [
    "Block",
    "Chart",
    "Column",
    "Document",
    "Entry",
    "Fold",
    "Picture",
    "Section",
    "Table",
    "Text",
    "bold",
    "code",
    "paragraphs",
    "plain",
]
