"""A page that holds the equalizer alone, on a backend made by hand."""

from pathlib import Path

from interp.study.equalizer_bundle import equalizer_script, equalizer_style

BACKEND = Path(__file__).with_name("equalizer_backend.js")
HEAD = (
    '<meta charset="utf-8"><title>Equalizer</title><link rel="icon" href="data:,">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    '<meta name="color-scheme" content="light dark">'
)
BODY = "body { margin: 0; padding: 12px; font: 15px system-ui; background: var(--page); color: var(--ink); }"


def write_equalizer_page(folder, backend="handmadeBackend()"):
    """Its path; the page has `backend` and, once it is mounted, `equalizer`."""
    script = equalizer_script() + BACKEND.read_text(encoding="utf-8").replace("</script", "<\\/script")
    mount = (
        f"const backend = {backend}; let equalizer;"
        "mountEqualizer(document.getElementById('equalizer'), backend, "
        "{link: (feature) => `#${feature}`, itemLink: (id) => (id === 103 ? null : `#item-${id}`)})"
        ".then((made) => (equalizer = made));"
    )
    path = folder / "equalizer.html"
    path.write_text(
        f'<!DOCTYPE html><html lang="en"><head>{HEAD}<style>{BODY} {equalizer_style()}</style></head>'
        f'<body><main><h1>Equalizer</h1><div id="equalizer"></div></main>'
        f"<script>{script}{mount}</script></body></html>",
        encoding="utf-8",
    )
    return path
