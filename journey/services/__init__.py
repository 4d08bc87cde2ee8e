"""Use cases, one file each. They own the transactions; what they decide, they ask the domain."""
