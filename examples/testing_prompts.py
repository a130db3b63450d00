"""Learn to test code that runs prompts: the scripted provider answers what you tell it, and fails when told to."""

import cuewire
from cuewire.model.errors import RateLimited
from cuewire.providers.scripted import Scripted

model = Scripted(["bug", RateLimited("slow down"), "idea"])

with cuewire.open("sqlite:///test.db", providers={"scripted": model}) as app:
    app.prompts.publish("triage", "Bug or idea? {{ text }}", model="scripted/any", output=["bug", "idea"])

    assert app.run("triage", {"text": "It crashes"}).value == "bug"
    try:
        app.run("triage", {"text": "It crashes"})
    except cuewire.ProviderError as error:
        print(f"{error.code}, to be tried again: {error.retriable}")
    assert app.run("triage", {"text": "Add tabs"}).value == "idea"
    assert model.requests[0].messages[0].content == "Bug or idea? It crashes"
