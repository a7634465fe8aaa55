"""What the sun will give and the house will take. See ``docs/forecasts.md``."""
