"""The story of the mirror job: what is demanded, what is expected of each code base, what is claimed."""
