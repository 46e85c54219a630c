"""The generators that made `data/`: real training code, one recipe per model.

Nothing else in `manifpt_utils` imports this package.  The command line is
`manifpt zoo --help`.
"""
