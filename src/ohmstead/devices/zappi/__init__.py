"""myenergi zappi car chargers."""
