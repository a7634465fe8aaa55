"""Those who are told of every tick; none knows another, none can hold up the loop."""
