"""Ways into the Atlas: identifiers, .bib files, and the stubs that are made of them.

`bibtex`, `latex` and `venues` know nothing of the sources, so that a source may be read with them.
"""
