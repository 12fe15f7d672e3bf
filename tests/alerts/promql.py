"""As much of PromQL as is needed to find the names of metrics in it."""

import re

_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"')
_LABELS = re.compile(r"\{[^}]*\}")
_RANGES = re.compile(r"\[[^\]]*\]")
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)")
_NAME = re.compile(r"\b(?:consumer|kube|aws|container|up)[\w:]*\b(?!\s*\()")


def metric_names(expression: str) -> set[str]:
    """The names, without labels."""
    for noise in (_STRINGS, _LABELS, _RANGES, _GROUPING):
        expression = noise.sub(" ", expression)
    return set(_NAME.findall(expression))
