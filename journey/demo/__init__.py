"""The demonstration: the real service with a clock that can be moved, and an outbox for a provider."""
