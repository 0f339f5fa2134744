"""Likeness without a screen: everything the dashboard shows can be computed here, in a script or a notebook."""
