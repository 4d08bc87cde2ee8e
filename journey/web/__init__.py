"""The web edge: provider hooks, health, one-click unsubscribe, and the pages."""
