"""GivEnergy inverters whose data adapter cannot be reached: by the maker's cloud, and slower."""
