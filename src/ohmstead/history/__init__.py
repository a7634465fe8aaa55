"""The embedded history: every point of every device, kept for years on an SD card."""
