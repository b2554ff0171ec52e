#!/usr/bin/env python3
"""Prints what AgentDojo's tasks do, as JSON lines: {suite, kind: user|injection, id, calls: [{function, args}]}.

The calls are those of the benchmark's own ground truths in its default environment. No model is asked, and no call is made.
"""

import argparse
import json
import sys

from agentdojo.task_suite.load_suites import get_suite


def trace(suite, kind, task_id, task):
    """One line. The environment is a fresh one, for a ground truth may change what it is given."""
    environment = suite.load_and_inject_default_environment({})
    if kind == "user":
        environment = task.init_environment(environment)
    calls = [
        {"function": call.function, "args": dict(call.args)} for call in task.ground_truth(environment)
    ]
    return {"suite": suite.name, "kind": kind, "id": task_id, "calls": calls}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--version", default="v1.2.2", help="version of the suites")
    parser.add_argument("suites", nargs="+", help="names of suites")
    args = parser.parse_args()
    for name in args.suites:
        suite = get_suite(args.version, name)
        for kind, tasks in (("user", suite.user_tasks), ("injection", suite.injection_tasks)):
            if not tasks:
                sys.exit(f"suite {name} of {args.version} has no {kind} tasks")
            for task_id, task in tasks.items():
                print(json.dumps(trace(suite, kind, task_id, task), allow_nan=False))


if __name__ == "__main__":
    main()
