"""The errors that the service answers with."""

from enum import StrEnum


class ErrorCode(StrEnum):
    """The name behind the `#` of `__type`, as botocore's service model knows it."""

    EXPIRED_ITERATOR = "ExpiredIteratorException"
    TRIMMED_DATA_ACCESS = "TrimmedDataAccessException"
    RESOURCE_NOT_FOUND = "ResourceNotFoundException"
    RESOURCE_IN_USE = "ResourceInUseException"
    LIMIT_EXCEEDED = "LimitExceededException"
    THROTTLING = "ThrottlingException"
    INTERNAL_SERVER_ERROR = "InternalServerError"
    EXPIRED_CREDENTIALS = "ExpiredTokenException"
    VALIDATION = "ValidationException"
    SERIALIZATION = "SerializationException"
    UNKNOWN_OPERATION = "UnknownOperationException"

    @property
    def namespace(self) -> str:
        """The part before the `#`; the framework's own errors have another one."""
        match self:
            case ErrorCode.VALIDATION:
                return "com.amazon.coral.validate"
            case (
                ErrorCode.SERIALIZATION
                | ErrorCode.UNKNOWN_OPERATION
                | ErrorCode.EXPIRED_CREDENTIALS
            ):
                return "com.amazon.coral.service"
            case _:
                return "com.amazonaws.dynamodb.v20120810"

    @property
    def status(self) -> int:
        """Its HTTP status."""
        return 500 if self is ErrorCode.INTERNAL_SERVER_ERROR else 400


class ServiceError(Exception):
    """An answer that is an error; the call changed nothing."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def invalid(message: str) -> ServiceError:
    """Return the error for a request that the service does not understand."""
    return ServiceError(ErrorCode.VALIDATION, message)


def not_found(message: str) -> ServiceError:
    """Return the error for a table, stream or shard that does not exist."""
    return ServiceError(ErrorCode.RESOURCE_NOT_FOUND, f"Requested resource not found: {message}")


def trimmed() -> ServiceError:
    """Return the error for a position older than the oldest record that is still held."""
    return ServiceError(
        ErrorCode.TRIMMED_DATA_ACCESS,
        "The operation attempted to read past the oldest stream record in a shard.",
    )
