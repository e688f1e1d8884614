"""Claims of papers, and verdicts on them."""
