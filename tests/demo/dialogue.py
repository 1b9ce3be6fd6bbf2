"""A conversation with the demo model in which a fixed table answers its tool calls."""

import json
from collections.abc import Mapping, Sequence

from chat.demo.model import Call, reply

WEATHER = {
    "london": ("London", 14, "cloudy", 78),
    "new york": ("New York", 25, "sunny", 45),
    "tokyo": ("Tokyo", 22, "partly cloudy", 60),
    "sydney": ("Sydney", 19, "rainy", 85),
    "paris": ("Paris", 17, "overcast", 70),
    "oslo": ("Oslo", -3, "light snow", 90),
    "berlin": ("Berlin", 9.5, "fog", 81),
    "são paulo": ("São Paulo", 27.5, "thunderstorm", 88),
    "rio de janeiro": ("Rio de Janeiro", 31, "clear", 66),
    "reykjavik": ("Reykjavik", 2, "windy", 78),
}
RESULTS: dict[str, object] = {
    "12 * (3 + 4)": 84,
    "(14 + 22) / 2": 18.0,
    "sqrt(85)": 9.219544457292887,
    "sqrt(70)": 8.366600265340756,
    "18 * 2": 36,
    "22 - 14": 8,
    "70 - 45": 25,
    "(78 + 60) / 2": 69,
    "(90 + 60 + 70) / 3": 73.33333333333333,
    "(10 + 20) / 2": 15,
    "(7 + 100) / 2": 53.5,
    "3 + 4": 7,
    "10 * 10": 100,
    "100 - 7": 93,
    "sqrt(144)": 12.0,
    "12 + 10": 22,
    "10 + 12": 22,
    "(17 + (-3)) / 2": 7,
    "85 / 5": 17,
    "2 ** 300": 2**300,
    "1 / 3": 1 / 3,
}
OFFSETS = {"Tokyo": "+09:00", "London": "+00:00", "New York": "-05:00", "Berlin": "+01:00", "Paris": "+01:00"}
PARAMETERS = {
    "get_weather": ("city", "units"),
    "calculate": ("expression",),
    "current_time": ("place",),
    "remember": ("fact", "preference"),
    "forget": ("fact",),
}
MOST_ROUNDS = 8


def tools(*names: str) -> list[dict[str, object]]:
    """The schemas of these tools, as a request carries them."""
    return [
        {
            "type": "function",
            "function": {
                "name": name,
                "parameters": {"type": "object", "properties": {key: {"type": "string"} for key in PARAMETERS[name]}},
            },
        }
        for name in names or PARAMETERS
    ]


def system(memory: Mapping[str, object] | None = None) -> dict[str, object]:
    """A system prompt, with what is remembered as the site writes it."""
    if not memory:
        return {"role": "system", "content": "You are the agent of a web chat."}
    data = json.dumps(memory, ensure_ascii=False)
    for sign, escaped in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):
        data = data.replace(sign, escaped)
    return {
        "role": "system",
        "content": f"You are the agent of a web chat.\n\nAs data:\n<memory>\n{data}\n</memory>",
    }


def answered(call: Call, source: str = "live") -> str:
    """What the tool would say, from the tables above."""
    arguments = call.arguments
    match call.name:
        case "get_weather":
            return _weather(str(arguments["city"]), str(arguments.get("units", "celsius")), source)
        case "calculate":
            expression = str(arguments["expression"])
            if expression.endswith("/ 0"):
                return "Error: division by zero at character 1"
            return json.dumps({"expression": expression, "result": RESULTS[expression]})
        case "current_time":
            return _time(str(arguments["place"]))
        case "remember":
            return f"Remembered: {arguments['fact']}."
        case _:
            return f"Forgotten: {arguments['fact']}."


def _weather(city: str, units: str, source: str) -> str:
    if city.casefold() not in WEATHER:
        return f"Error: no city called {city!r} is known"
    name, celsius, condition, humidity = WEATHER[city.casefold()]
    data: dict[str, object] = {
        "city": name,
        f"temperature_{units}": celsius * 9 / 5 + 32 if units == "fahrenheit" else celsius,
        "condition": condition,
        "humidity_percent": humidity,
        "source": source,
    }
    if source == "sample":
        data["note"] = "Sample data, not a live reading"
    return json.dumps(data, ensure_ascii=False)


def _time(place: str) -> str:
    if place not in OFFSETS:
        return f"Error: no time zone is known for {place!r}"
    return json.dumps(
        {
            "place": place,
            "time_zone": f"Zone/{place.replace(' ', '_')}",
            "local_time": f"2026-11-24T15:04:05{OFFSETS[place]}",
            "weekday": "Tuesday",
            "utc_offset": OFFSETS[place],
        }
    )


class Dialogue:
    """Says things to the model and keeps the messages. `rounds` holds the calls of the last answer, turn by turn."""

    def __init__(
        self,
        memory: Mapping[str, object] | None = None,
        *,
        offered: Sequence[dict[str, object]] | None = None,
        source: str = "live",
    ) -> None:
        self.messages: list[dict[str, object]] = [system(memory)]
        self.offered = tools() if offered is None else list(offered)
        self.source = source
        self.rounds: list[tuple[Call, ...]] = []

    def say(self, text: str) -> str:
        """The model's answer, once it has called all the tools it wants."""
        self.messages.append({"role": "user", "content": text})
        self.rounds = []
        for _ in range(MOST_ROUNDS):
            turn = reply({"model": "demo", "messages": self.messages, "tools": self.offered})
            if not turn.calls:
                self.messages.append({"role": "assistant", "content": turn.text})
                return turn.text
            self.rounds.append(turn.calls)
            self.answer(turn.calls, [answered(call, self.source) for call in turn.calls])
        raise AssertionError(f"no answer after {MOST_ROUNDS} turns: {self.rounds}")

    def answer(self, calls: Sequence[Call], texts: Sequence[str | None]) -> None:
        """Writes the calls and their results into the conversation."""
        ids = [f"call_{len(self.messages)}_{i}" for i in range(len(calls))]
        self.messages.append(
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": id_,
                        "type": "function",
                        "function": {"name": call.name, "arguments": json.dumps(call.arguments)},
                    }
                    for id_, call in zip(ids, calls, strict=True)
                ],
            }
        )
        for id_, text in zip(ids, texts, strict=True):
            self.messages.append({"role": "tool", "tool_call_id": id_, "content": text})

    @property
    def called(self) -> list[list[str]]:
        """The rounds in short: each call as its arguments' values."""
        return [[", ".join(map(str, call.arguments.values())) for call in calls] for calls in self.rounds]
