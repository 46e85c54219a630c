"""Your own images: an attributor that is fitted, saved, loaded and asked."""
