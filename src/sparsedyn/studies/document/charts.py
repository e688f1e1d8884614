"""Interactive charts of Plotly within a page."""

from html import escape
from typing import Any

from sparsedyn.plotting.style import INK
from sparsedyn.studies.document.blocks import Chart

CONFIG = {"responsive": True, "displayModeBar": False}
GRID, FAINT = "#d9dde2", "#8a8a8a"
LAYOUT: dict[str, Any] = {
    "template": "none",
    "paper_bgcolor": "rgba(0,0,0,0)",
    "plot_bgcolor": "rgba(0,0,0,0)",
    "font": {"family": "system-ui, sans-serif", "size": 12, "color": INK},
    "hovermode": "closest",
}
AXIS: dict[str, Any] = {"gridcolor": GRID, "linecolor": FAINT, "zeroline": False, "automargin": True}
MENU: dict[str, Any] = {
    "xanchor": "left", "yanchor": "bottom", "y": 1, "pad": {"b": 26}, "bgcolor": "#ffffff", "bordercolor": GRID,
}  # fmt: skip


def chart_html(chart: Chart) -> str:
    """Return the chart as HTML; its content is escaped so that it cannot end the surrounding script."""
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
    from plotly.offline import get_plotlyjs

    return f"<script>{get_plotlyjs()}</script>"
