"""Learn to run a real model on this machine, without a key: the bundled one, about 100 MB, far from clever."""

import cuewire

with cuewire.open("sqlite:///cue.db") as app:
    app.prompts.publish(
        "sea",
        "Write one short sentence about {{ topic }}.",
        model="local/smollm2-135m",
        parameters={"temperature": 0, "max_tokens": 24},
    )
    for piece in app.stream("sea", {"topic": "the sea"}):
        print(piece.text, end="", flush=True)
    print()
