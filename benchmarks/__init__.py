"""Speed as ratios in one run, on real PostgreSQL and Redis, against a fake provider in its own process."""
