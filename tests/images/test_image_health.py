"""`consumer health`, which a container runs every ten seconds for as long as it lives."""

import json

from tests.images.engine import IMAGE_TESTS, python

pytestmark = IMAGE_TESTS

COST = """
import json, resource, subprocess

def cost(*options):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    asked = subprocess.run(["python", *options, "-m", "consumer", "health"], stderr=subprocess.PIPE)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert asked.returncode == 1 and b"no answer" in asked.stderr, asked.stderr
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

as_it_is = [cost() for _ in range(5)]
compiled_anew = [cost("-X", "pycache_prefix=/nowhere") for _ in range(5)]
print(json.dumps([min(as_it_is), min(compiled_anew)]))
"""
"""CPU seconds as the image is, and if each process had to compile what it imports."""


def test_it_costs_a_fraction_of_what_compiling_would(image: str) -> None:
    as_it_is, compiled_anew = json.loads(python(image, COST, "--read-only"))
    print(f"{as_it_is:.2f} s of CPU; without bytecode {compiled_anew:.2f} s")
    assert as_it_is < compiled_anew / 2
