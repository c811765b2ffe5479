"""Here for notebooks of the original SpineTK alone, whose first import of its own this is."""

raise ImportError(
    "split is a module of the original SpineTK: write `import spinetk.original` as the first line, and the rest of the"
    " cell runs as it is (docs/how-to/from_the_originals.md)"
)
