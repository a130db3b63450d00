"""Learn what happens when an answer is not what the version promises: an error that holds it, and a record of it."""

import cuewire
from cuewire.providers.scripted import Scripted

with cuewire.open("sqlite:///cue.db", providers={"scripted": Scripted(["four, I think"])}) as app:
    app.prompts.publish("stars", "How many stars? {{ review }}", model="scripted/any", output="number")

    try:
        app.run("stars", {"review": "I like it"})
    except cuewire.OutputError as error:
        print(f"{error.message}; it said {error.text!r}")
    record = app.executions.list(prompt="stars").items[0]
    print(f"kept as {record.status}: {record.error_code}")
