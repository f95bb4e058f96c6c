"""Answer a container's health check: is this process, named by OMS_HEALTH, ready for work?

OMS_HEALTH is `grpc:HOST:PORT` for a service or `queue:NAME` for a worker. Exit status 0 is healthy, 1 is not.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys

TIMEOUT_S = 4.0


def _serves(target: str) -> bool:
    """Whether the gRPC server at `target` reports that it serves."""
    import grpc
    from grpc_health.v1 import health_pb2

    with grpc.insecure_channel(target) as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        try:
            answer = check(health_pb2.HealthCheckRequest(), timeout=TIMEOUT_S)
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


async def _polls(queue: str) -> bool:
    """Whether a worker on this host asks Temporal for work of `queue`; workers are named PID@HOST."""
    from temporalio.api.enums.v1 import TaskQueueType
    from temporalio.api.taskqueue.v1 import TaskQueue
    from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
    from temporalio.client import Client

    namespace = os.environ.get("OMS_TEMPORAL_NAMESPACE", "default")
    client = await Client.connect(os.environ.get("OMS_TEMPORAL_TARGET", "127.0.0.1:7233"), namespace=namespace)
    described = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=namespace,
            task_queue=TaskQueue(name=queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        )
    )
    return any(poller.identity.endswith(f"@{socket.gethostname()}") for poller in described.pollers)


def is_healthy(check: str) -> bool:
    """Run the check that OMS_HEALTH names; a check nobody knows is not healthy."""
    kind, _, subject = check.partition(":")
    if kind == "grpc":
        return _serves(subject)
    if kind == "queue":
        try:
            return asyncio.run(asyncio.wait_for(_polls(subject), TIMEOUT_S))
        except (RuntimeError, TimeoutError) as away:  # the SDK's word for a server it cannot reach is RuntimeError
            print(f"Temporal does not answer: {away}", file=sys.stderr)
            return False
    print(f"OMS_HEALTH is {check!r}: set it to grpc:HOST:PORT or queue:NAME", file=sys.stderr)
    return False


if __name__ == "__main__":
    status = 0 if is_healthy(os.environ.get("OMS_HEALTH", "")) else 1
    sys.stderr.flush()
    # Not sys.exit: the Temporal client's threads may still run while the interpreter is taken down, and change the status.
    os._exit(status)
