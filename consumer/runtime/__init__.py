"""Asyncio code that owns tasks and knows ports, never adapters."""
