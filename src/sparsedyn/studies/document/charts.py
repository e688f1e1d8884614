"""Interactive charts of Plotly within a page."""

from html import escape

from plotly.offline import get_plotlyjs

from sparsedyn.studies.document.blocks import Chart

CONFIG = {"responsive": True, "displayModeBar": False}


def chart_html(chart: Chart) -> str:
    """Return the chart as HTML; what is in it cannot end the script that it stands in."""
    # Plotly takes most of a second to import.
    from plotly.io import to_html

    return to_html(
        chart.make(), config=CONFIG, include_plotlyjs=False, full_html=False, div_id=f"chart-{chart.name}",
        default_height="auto",
    )  # fmt: skip


def chart_text(text: str) -> str:
    """Return `text` for a name or label in a chart, where Plotly would read some HTML and templates."""
    return escape(text, quote=False).replace("%{", "% {")


def plotly_script() -> str:
    """Return the script that draws charts, several megabytes."""
    return f"<script>{get_plotlyjs()}</script>"
