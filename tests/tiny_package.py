"""A tiny package in a folder, as pip would have installed it."""


def install(folder, name, group, entry, module, text):
    """Write a module that is an entry point of a group, and what says so."""
    (folder / f"{module}.py").write_text(text)
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{group}]\n{entry} = {module}\n")
