from nexus_plugin import Call, Plugin

plugin = Plugin("hello")


@plugin.tool(description="Greets somebody")
def hello_greet(call: Call, name: str) -> dict:
    return {"greeting": f"Hello, {name}!"}


if __name__ == "__main__":
    plugin.run()
