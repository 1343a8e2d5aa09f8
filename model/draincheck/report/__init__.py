"""What people and other tools get to see of a result: one file a format."""
