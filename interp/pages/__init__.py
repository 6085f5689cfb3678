"""What people open in a browser: dashboard, report, site, equalizer; and figures and tables as files."""
