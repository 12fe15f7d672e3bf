"""Run ministack as a local AWS: DynamoDB with Streams, and SQS. It keeps everything in memory.

The first line printed is the URL, the endpoint of all services: AWS_ENDPOINT_URL=<url>. The server
ends on SIGTERM or SIGINT.
"""

import argparse
import signal
from threading import Event

from localdev.aws.process import local_aws


def main() -> None:
    """Read the command line and serve until a signal."""
    parser = argparse.ArgumentParser(prog="python -m localdev.aws", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port; 0 takes a free one (default)")
    asked = parser.parse_args()
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with local_aws(asked.port) as aws:
        print(aws.endpoint_url, flush=True)
        stop.wait()


if __name__ == "__main__":
    main()
