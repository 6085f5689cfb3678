"""One offline HTML page."""
def write_dashboard(study):
    pass
