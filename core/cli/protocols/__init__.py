"""The protocols of ``reproduce``: a module each, with ``NAME``, ``HELP``, ``DEFAULTS``, ``REPORTS`` and ``run``.

``DEFAULTS`` are the options that the protocol prescribes where the user says nothing, ``REPORTS`` the splits that it
can report.
"""
