"""The generators that made `data/`: real training code, one recipe a model.

Nothing else in `manifpt_utils` imports this package.  The command line is
`python -m manifpt_utils.zoo --help`.
"""
