"""Ground floor: what every resource stands on and no resource owns."""
