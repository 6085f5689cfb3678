"""Dictionaries of other libraries: one file for each format, all read into and written from one plain form."""
