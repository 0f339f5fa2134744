"""Protocols of earlier work, end to end: the same steps on the same data, or on any other, with honest intervals."""
