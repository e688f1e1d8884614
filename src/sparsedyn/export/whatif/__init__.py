"""The page on which a model answers what happens if: content, template, style and scripts."""
