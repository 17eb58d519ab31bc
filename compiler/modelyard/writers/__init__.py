"""Writers that render values as text for emitted files, one per language."""
