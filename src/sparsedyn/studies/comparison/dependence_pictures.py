"""Pictures of the dependences in the networks of a comparison, and of how far networks agree on them."""

from sparsedyn.equations import THRESHOLD, THRESHOLDS, depends
from sparsedyn.plotting.maps import share_of_members
from sparsedyn.studies import figures
from sparsedyn.studies.comparison.agreement import ceiling
from sparsedyn.studies.comparison.contents import Contents
from sparsedyn.studies.comparison.members import living
from sparsedyn.studies.comparison.pictures import Pictures, labels
from sparsedyn.studies.document import Picture


def maps(contents: Contents) -> Pictures:
    """Return the share of members in which a derivative depends on a state or an input."""
    having = {key: cell for key, cell in contents.cells.items() if "reach" in cell.arrays}
    if not having:
        return []
    measured = all("strength" in cell.arrays for cell in having.values())
    found = {key: depends(c.arrays["strength"]) if measured else c.arrays["reach"] for key, c in having.items()}
    shares = {key: share_of_members(found[key], living(cell.facts, len(found[key]))) for key, cell in having.items()}
    truths = [cell.arrays["structure_true"] for cell in having.values() if "structure_true" in cell.arrays]
    truth = truths[0] if measured and truths else None
    # The cells of one study have the same variables.
    outputs, features = next(iter(shares.values())).shape
    rows, columns = contents.state_names(outputs), contents.feature_names(outputs, features)
    how = (
        f"the derivative moves by more than {THRESHOLD:g} standard deviations when the column is exchanged"
        if measured
        else "a path of nonzero weights leads there"
    )
    framed = " Framed: what stands in the equations of the plant." if truth is not None else ""
    return [
        Picture(
            name="input-output",
            alt=f"Heat maps: share of members in which a derivative depends on a state or input. {labels(contents)}.",
            caption="Row: the state whose derivative is computed. Column: the state or, right of the line, the input "
            f"that it may depend on. Full colour: in every member {how}; none: in none.{framed}",
            draw=lambda: figures.input_output_maps(
                shares, contents.looks, output_names=rows, feature_names=columns, truth=truth
            ),
        )
    ]


def agreement(contents: Contents) -> Pictures:
    """Return pictures of the similarity of maps, to each other and to the plant's, and of the spread of errors."""
    longest = contents.horizons[-1]
    results, name = contents.at(longest), contents.horizon_names()[longest]
    if "jaccard" not in results or not results["jaccard"].notna().any():
        return []
    by_size = "train_trajectories" in results and results["train_trajectories"].nunique() > 1
    most = next((value for cell in contents.cells.values() if (value := ceiling(cell.arrays)) is not None), None)
    limit = "" if most is None else f" A perfect model has {most:.2f} with the plant, whose weak terms are below that."
    return [
        Picture(
            name="agreement",
            alt=f"{'Line charts' if by_size else 'Dot plots'}: how alike members are in what depends on what, how near "
            f"to the plant, weights above 0.001, and spread of errors over members, of {labels(contents)}.",
            caption="Jaccard index of maps of what depends on what: 1 is the same map. Full maps are alike without "
            "having learned the same, which kappa corrects for: 0 is what chance would give. Marks are taken at a "
            f"strength of {THRESHOLD:g}; {'bands' if by_size else 'lines'} reach over thresholds from "
            f"{min(THRESHOLDS):g} to {max(THRESHOLDS):g}.{limit} Spread: standard deviation over members of their mean "
            "error, diverged forecasts counted as 3.",
            draw=lambda: (
                figures.agreement_by_size(results, horizon_name=name)
                if by_size
                else figures.agreement_by_cell(results, contents.looks, horizon_name=name)
            ),
        )
    ]
