"""The images: benchmarks, folders of images, and the photographs with their views."""
