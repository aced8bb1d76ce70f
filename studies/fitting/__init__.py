"""Measurements of the chapter "Fitting scaling laws honestly"."""
