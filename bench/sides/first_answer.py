"""What the first answer of a fresh process costs: CPU from the first line of this file to the answer.

Ours opens a database that has the prompt already; the first run in an empty folder makes it, uncounted.
"""
# mypy: disable-error-code="import-not-found"

import time

started = time.process_time()

import asyncio  # noqa: E402 - the clock starts before the imports, because they are what is measured
import os  # noqa: E402
import sys  # noqa: E402

QUESTION = "Is this message a bug report or an idea? Answer with one word. Message: it crashes on save"


async def ours() -> str:
    """Open, run a stored prompt, close."""
    import cuewire

    async with cuewire.open(f"sqlite:///{os.environ['BENCH_FOLDER']}/bench.db") as app:
        if "prepare" in sys.argv:
            await app.prompts.publish("bench/question", "{{ text }}", model="openai/gpt-4o-mini")
        return (await app.run("bench/question", {"text": QUESTION})).text


async def litellm() -> str:
    """Import and make one call."""
    import litellm

    answer = await litellm.acompletion(
        model="openai/gpt-4o-mini",
        messages=[{"role": "user", "content": QUESTION}],
        api_base=os.environ["OPENAI_BASE_URL"],
        api_key="x",
    )
    return str(answer.choices[0].message.content)


async def openai() -> str:
    """Import, make a client and one call."""
    import openai

    client = openai.AsyncOpenAI()
    answer = await client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": QUESTION}])
    return str(answer.choices[0].message.content)


def in_child(*arguments: str) -> None:
    """Run this file again in a fresh process."""
    import subprocess

    if code := subprocess.run([sys.executable, __file__, *arguments]).returncode:
        sys.exit(code)


if sys.argv[1] == "prepared":
    in_child("ours", "prepare")
    in_child("ours")
else:
    text = asyncio.run({"ours": ours, "litellm": litellm, "openai": openai}[sys.argv[1]]())
    cpu_s = time.process_time() - started

    from bench.sides.meter import memory_peak_mb, must_be_answer

    must_be_answer(text)
    print(f'{{"cpu_ms": {cpu_s * 1_000:.3f}, "rss_mb": {memory_peak_mb():.2f}}}')
