"""What is compared: benchmarks, folders of images, the photographs and their views."""
