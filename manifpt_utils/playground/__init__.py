"""An image in your hands: change it, and watch what is said of its origin."""
