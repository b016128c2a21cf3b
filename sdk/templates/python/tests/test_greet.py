"""The plugin's tools against a fake host in this process: real frames, no jail."""

import unittest

from main import plugin
from nexus_plugin import ToolError
from nexus_plugin.testing import Harness


class GreetTests(unittest.TestCase):
    def test_it_greets_by_name(self) -> None:
        with Harness(plugin) as host:
            answer = host.call("template_name_greet", {"name": "Ada"})
        self.assertEqual(answer.value, {"greeting": "Hello, Ada!"})

    def test_it_greets_as_often_as_asked(self) -> None:
        with Harness(plugin) as host:
            answer = host.call("template_name_greet", {"name": "Ada", "times": 2})
        self.assertEqual(answer.value, {"greeting": "Hello, Ada! Hello, Ada!"})

    def test_a_missing_name_is_the_callers_mistake(self) -> None:
        with Harness(plugin) as host:
            answer = host.call("template_name_greet", {})
        with self.assertRaisesRegex(ToolError, "name"):
            _ = answer.value


if __name__ == "__main__":
    unittest.main()
