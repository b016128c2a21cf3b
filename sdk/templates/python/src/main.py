"""The plugin template-name: its tools. `nexus dev` builds it and runs it in its jail, again on each change."""

from typing import Annotated

from nexus_plugin import Call, Field, Plugin

plugin = Plugin("template-name")


@plugin.tool(description="Greets somebody")
def template_name_greet(
    call: Call,
    name: Annotated[str, Field("Whom to greet", min_length=1, max_length=80)],
    times: Annotated[int, Field("How often", minimum=1, maximum=10)] = 1,
) -> dict:
    call.log("info", "greeting", times=times)
    return {"greeting": " ".join([f"Hello, {name}!"] * times)}


if __name__ == "__main__":
    plugin.run()
