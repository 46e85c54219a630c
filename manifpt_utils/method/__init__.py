"""The method: spaces, the manifold and its estimates, fingerprints, evaluation."""
