"""An attributor of your own images: fit, save, load, predict."""
