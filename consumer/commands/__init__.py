"""The commands, one module each: `run(arguments, environ, out)` returns the exit code."""
