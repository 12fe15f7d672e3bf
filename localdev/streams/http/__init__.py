"""HTTP and the two services as clients see them: requests, answers, faults."""
