"""Colours and layout that all figures share. The colours are Okabe and Ito's, which the colour-blind tell apart."""

import plotly.graph_objects as go

SAE = "#D55E00"
NEURON = "#0072B2"
PRESENT = "#D55E00"
ABSENT = "#0072B2"
SERIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


def styled(figure: go.Figure, x: str, y: str, height: int = 340) -> go.Figure:
    """The figure with axis titles and the common look, for a light or a dark page."""
    grid = "rgba(128,128,128,0.25)"
    return figure.update_layout(
        height=height,
        margin={"l": 50, "r": 10, "t": 10, "b": 40},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, sans-serif", "size": 12, "color": "#777"},
        colorway=list(SERIES),
        legend={"orientation": "h", "y": 1.08, "x": 0},
        xaxis={"title": x, "gridcolor": grid, "zerolinecolor": grid, "automargin": True},
        yaxis={"title": y, "gridcolor": grid, "zerolinecolor": grid, "automargin": True},
    )
