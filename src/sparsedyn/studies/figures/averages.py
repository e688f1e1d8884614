"""The names of averages in pictures and tables."""


def average_name(average: object) -> str:
    """Write the average of a result, empty for weights as trained."""
    name = str(average)
    if name in ("", "none", "None", "nan", "<NA>"):
        return ""
    return name.upper() if name in ("swa", "ema") else name
