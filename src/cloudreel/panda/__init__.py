"""Panda, and what its server family shares with Telestream Cloud: objects, calls, signing, waiting."""
