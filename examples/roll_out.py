"""Learn to try a new version beside the old one, roll it out with a label, and take it back."""

import cuewire

with cuewire.open("sqlite:///cue.db") as app:
    app.prompts.publish("greet", "Good day, {{ name }}.", model="scripted/echo")
    app.prompts.publish("greet", "Hi {{ name }}!", model="scripted/echo", labels=["candidate"])

    for reference in ("greet", "greet@candidate", "greet@1"):
        print(f"{reference}: {app.run(reference, {'name': 'Ada'}).text}")

    app.prompts.label("greet", "production", 2)
    print(f"rolled out: {app.run('greet', {'name': 'Ada'}).text}")

    app.prompts.label("greet", "production", 1)
    print(f"taken back: {app.run('greet', {'name': 'Ada'}).text}")
