"""Answers that concern a whole request (RFC 7807 problems)."""

from __future__ import annotations

from http import HTTPStatus

from localdev.nakadi.http.flow_id import flow_id

PROBLEM_JSON = "application/problem+json"

# Reason phrases of the server where they differ from Python's.
_TITLES = {422: "Unprocessable Entity", 413: "Request Entity Too Large"}


def title_of(status: int) -> str:
    """Return the reason phrase Nakadi uses as the title of a problem."""
    if status in _TITLES:
        return _TITLES[status]
    try:
        return HTTPStatus(status).phrase
    except ValueError:  # only a fault answers what no standard names, such as a proxy's 520
        return "Unknown"


class ProblemError(Exception):
    """Ends a request with a problem document; `detail` None leaves the member out."""

    def __init__(self, status: int, detail: str | None) -> None:
        super().__init__(f"{status} {detail}")
        self.status = status
        self.detail = detail

    def body(self) -> dict[str, str | int]:
        """Return the members of the document, in Nakadi's order."""
        body: dict[str, str | int] = {"title": title_of(self.status), "status": self.status}
        if self.detail is not None:
            body["detail"] = self.detail
        return body


def internal_error() -> ProblemError:
    """Return the 500 for an unexpected error, with a meaningless id."""
    return ProblemError(500, f"An internal error happened. Please report it. (ETI{flow_id(None)})")


class EvolutionError(ProblemError):
    """A 422 for a schema that may not follow the one before it."""

    def __init__(self, detail: str) -> None:
        super().__init__(422, detail)


class FieldsError(ProblemError):
    """A 422 that names members of a body and what each of them must be."""

    def __init__(self, complaints: list[tuple[str, str]]) -> None:
        super().__init__(422, "".join(f'Field "{name}" {fault}\n' for name, fault in complaints))

    def body(self) -> dict[str, str | int]:
        """Return the document, which has a type of its own."""
        return {"type": "http://httpstatus.es/422", **super().body()}
