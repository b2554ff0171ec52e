"""Asks the scripted model with the clients of OpenAI and Anthropic, and compares what they understood with what was scripted."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request

# What whoever runs this has set up for the real providers is not meant for the scripted one.
for name in [name for name in os.environ if name.startswith(("ANTHROPIC_", "OPENAI_"))]:
    del os.environ[name]

import anthropic  # noqa: E402
import openai  # noqa: E402

TEXT = "Grüße 🚀, two words."
ARGUMENTS = {"owner": "acme", "labels": ["bug", "ünïcode"], "deep": {"n": 1.5, "yes": True, "no": None}}
CALLS = [{"name": "list_issues", "arguments": ARGUMENTS}, {"name": "whoami", "arguments": {}}]
SCRIPTS = {
    "says": {"when": "say", "steps": [{"text": TEXT}]},
    "calls": {"when": "call", "steps": [{"text": TEXT, "calls": CALLS}, {"text": "Found {results}"}]},
    "limited": {"when": "wait", "steps": [{"text": TEXT, "fault": {"status": {"status": 429, "retryAfterSeconds": 0, "times": 1}}}]},
}
SCHEMA = {"type": "object", "properties": {}}
MODEL = "scripted"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(port):
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit("the scripted model does not listen")


def leave(base, name, script):
    body = json.dumps(script).encode()
    request = urllib.request.Request(f"{base}/scripts/{name}", data=body, method="PUT")
    urllib.request.urlopen(request).close()


def equal(what, found, expected):
    if found != expected:
        raise SystemExit(f"{what}: {found!r} instead of {expected!r}")
    print(f"ok: {what}")


class OpenAi:
    name = "openai"
    limited = openai.RateLimitError

    def __init__(self, base, retries=2):
        self.client = openai.OpenAI(base_url=f"{base}/v1", api_key="sk-test", max_retries=retries)

    def asked(self, messages):
        tools = [{"type": "function", "function": {"name": call["name"], "parameters": SCHEMA}} for call in CALLS]
        return {"model": MODEL, "messages": messages, "tools": tools}

    def whole(self, messages):
        answer = self.client.chat.completions.create(**self.asked(messages))
        return answer.choices[0].message, answer.choices[0].finish_reason, answer.usage

    def streamed(self, messages):
        with self.client.chat.completions.stream(**self.asked(messages), stream_options={"include_usage": True}) as stream:
            for _ in stream:
                pass
            answer = stream.get_final_completion()
        return answer.choices[0].message, answer.choices[0].finish_reason, answer.usage

    def understood(self, message):
        calls = message.tool_calls or []
        return message.content, [(call.function.name, json.loads(call.function.arguments)) for call in calls]

    def used(self, usage):
        return usage.prompt_tokens, usage.completion_tokens

    stops = {False: "stop", True: "tool_calls"}

    def results(self, message):
        calls = [{"role": "tool", "tool_call_id": call.id, "content": call.function.name} for call in message.tool_calls]
        return [message.model_dump(exclude_none=True), *calls]


class Anthropic:
    name = "anthropic"
    limited = anthropic.RateLimitError

    def __init__(self, base, retries=2):
        self.client = anthropic.Anthropic(base_url=base, api_key="sk-test", max_retries=retries)

    def asked(self, messages):
        tools = [{"name": call["name"], "input_schema": SCHEMA} for call in CALLS]
        return {"model": MODEL, "max_tokens": 1000, "messages": messages, "tools": tools}

    def whole(self, messages):
        answer = self.client.messages.create(**self.asked(messages))
        return answer, answer.stop_reason, answer.usage

    def streamed(self, messages):
        with self.client.messages.stream(**self.asked(messages)) as stream:
            for _ in stream:
                pass
            answer = stream.get_final_message()
        return answer, answer.stop_reason, answer.usage

    def understood(self, message):
        text = "".join(block.text for block in message.content if block.type == "text")
        return text, [(block.name, block.input) for block in message.content if block.type == "tool_use"]

    def used(self, usage):
        return usage.input_tokens, usage.output_tokens

    stops = {False: "end_turn", True: "tool_use"}

    def results(self, message):
        used = [block for block in message.content if block.type == "tool_use"]
        results = [{"type": "tool_result", "tool_use_id": block.id, "content": block.name} for block in used]
        return [{"role": "assistant", "content": message.content}, {"role": "user", "content": results}]


def check(kind, base):
    sdk = kind(base)
    for how in ("whole", "streamed"):
        ask = getattr(sdk, how)
        label = f"{sdk.name}, {how}"
        said = [{"role": "user", "content": "say it"}]
        message, stop, usage = ask(said)
        equal(f"{label}: text", sdk.understood(message), (TEXT, []))
        equal(f"{label}: reason to stop", stop, sdk.stops[False])
        equal(f"{label}: counts", all(count > 0 for count in sdk.used(usage)), True)

        asked = [{"role": "user", "content": "call them"}]
        message, stop, _ = ask(asked)
        expected = [(call["name"], call["arguments"]) for call in CALLS]
        equal(f"{label}: calls", sdk.understood(message), (TEXT, expected))
        equal(f"{label}: reason to stop for calls", stop, sdk.stops[True])
        message, _, _ = ask(asked + sdk.results(message))
        equal(f"{label}: results", sdk.understood(message), ("Found list_issues\nwhoami", []))

        leave(base, "limited", SCRIPTS["limited"])
        limited = kind(base, retries=0)
        try:
            getattr(limited, how)([{"role": "user", "content": "wait a while"}])
            raise SystemExit(f"{label}: a rate limit was not seen")
        except sdk.limited:
            print(f"ok: {label}: rate limit")
        message, _, _ = getattr(limited, how)([{"role": "user", "content": "wait a while"}])
        equal(f"{label}: after the rate limit", sdk.understood(message)[0], TEXT)


def main(server):
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    process = subprocess.Popen([server, "model", "--listen", f"127.0.0.1:{port}"])
    try:
        wait_for(port)
        for name, script in SCRIPTS.items():
            leave(base, name, script)
        for kind in (OpenAi, Anthropic):
            check(kind, base)
    finally:
        process.terminate()
        process.wait(timeout=10)


if __name__ == "__main__":
    main(sys.argv[1])
