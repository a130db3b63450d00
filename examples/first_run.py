"""Learn to publish a prompt, run it, and find what was recorded; scripted/echo answers without a model or a key."""

import cuewire

with cuewire.open("sqlite:///cue.db") as app:
    app.prompts.publish("triage", "Bug or idea? {{ text }}", model="scripted/echo", output=["bug", "idea"])

    result = app.run("triage", {"text": "It crashes on save"})
    print(result.value, result.usage.total_tokens, result.cost_usd)

    app.report(result.id, correct=True)
    record = app.executions.get(result.id)
    print(record.status, record.duration_ms, record.inputs, app.executions.outcomes(result.id)[0].value)
