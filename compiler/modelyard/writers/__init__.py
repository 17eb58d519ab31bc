"""Writers that render values as text in emitted files, one per language."""
