"""How long tests wait for something that must happen.

Only a test that fails waits so long. A machine ten times slower than a laptop keeps it with ease.
"""

PATIENCE = 240.0
