"""What the demo model says of itself, and the fixed pieces it can show."""

LONGEST_COUNT = 1000

WHAT = "I am the demo model: a fixed script, not an AI. I answer while no real model is connected."
EXAMPLES = """\
- What's the weather like in London and Tokyo?
- What's the average temperature in London and Tokyo?
- What's the square root of the humidity in Sydney?
- What is 12 * (3 + 4)?
- What time is it in New York?
- Remember that I live in Berlin. / What do you know about me?
- Show me Markdown. / Count to 200. (good for trying Stop)"""
CONNECT = """\
To connect a real model, set these environment variables and start the site again:

- `OPENAI_BASE_URL`: the address of any OpenAI-compatible endpoint
- `OPENAI_API_KEY`: its key, if it needs one
- `AGENT_MODELS`: the models to offer, separated by commas; the first is the default"""
HELLO = f"Hello! {WHAT} You can try these:\n\n{EXAMPLES}"
ABOUT = f"""\
{WHAT} I know a few kinds of questions, call the same tools that a real model would, and each step is shown in the \
trace. These work:

{EXAMPLES}

{CONNECT}"""
HOW_ARE_YOU = (
    "I am a scripted demo, so there is nothing to feel, but everything is running. What would you like to try?"
)
THANKS = "You are welcome. I am only a scripted demo, but I am here whenever you want to try something else."
UNKNOWN = f"""\
I cannot answer that: I am a scripted demo, not an AI, and I only know a few kinds of questions. These work:

{EXAMPLES}

{CONNECT}"""
NOT_KEPT = """\
I am a scripted demo, so I have nothing to say to that. If you want it kept for later conversations, write:

> Remember that {}"""
NOT_THE_REST = "I cannot answer this part, being a scripted demo and not an AI: “{}”"
SHOWCASE = """\
This is a fixed sample of the Markdown that the chat can show. A scripted demo does not write its own.

## A table

| City | Temperature | Condition |
|---|---:|---|
| London | 14 °C | cloudy |
| Tokyo | 22 °C | partly cloudy |

## Code

```python
def average(numbers: list[float]) -> float:
    \"\"\"The arithmetic mean.\"\"\"
    return sum(numbers) / len(numbers)


print(average([14, 22]))  # 18.0
```

## A list

1. **Ask** a question.
2. Watch the *tools* at work.
   - Each call is a row of the trace.
   - Its arguments and its result are kept.
3. Read the answer.

> An agent is a loop: it looks, thinks and acts until it has an answer.

Inline code looks like `calculate("(14 + 22) / 2")`, and a link like [the Markdown specification](https://commonmark.org)."""

_WEATHER = ("clear", "grey", "windy", "quiet", "foggy", "golden", "wet")
_SHIPS = ("a fishing boat", "two ferries", "a ship full of oranges", "nobody", "a sailing boat with a red sail")
_DEEDS = (
    "polished the lamp until it showed him his own face",
    "wrote the hour of every wave that reached the third step",
    "taught the cat to sit on the stairs without being in the way",
    "mended the rope that had been mended so often that no first rope was left",
)
DAYS = 30


def count(start: int, end: int) -> str:
    """The numbers from one to the other, at most LONGEST_COUNT of them."""
    step = 1 if end >= start else -1
    numbers = range(start, end + step, step)[:LONGEST_COUNT]
    text = ", ".join(map(str, numbers)) + "."
    cut = abs(end - start) + 1 > LONGEST_COUNT
    return f"{text}\n\nI stop here: {LONGEST_COUNT} numbers are my limit." if cut else text


def _story() -> str:
    """A long, even text, good for watching it stream."""
    days = [
        f"**Day {day}.** The morning was {_WEATHER[day % len(_WEATHER)]}. The keeper {_DEEDS[day % len(_DEEDS)]}. "
        f"In the evening {_SHIPS[day % len(_SHIPS)]} went by, and he lit the lamp for them all the same."
        for day in range(1, DAYS + 1)
    ]
    opening = "This is the one story in my script. It is long and even, so that you can watch it stream, or stop it."
    return "\n\n".join(
        [opening, "## The lighthouse keeper's month", *days, "Then he turned the page, and began again."]
    )


STORY = _story()
