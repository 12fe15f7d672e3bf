"""Pure code: values in, values out. No asyncio, no clock, no randomness, no logging, no vendor."""
