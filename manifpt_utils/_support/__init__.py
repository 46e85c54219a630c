"""What every room needs: files, cache, provenance, random state, paths."""
