"""Acts on calculations: looks up the numbers they wait for, has the calculator work them out, tells the result."""

from chat.demo.asking import ask
from chat.demo.conversation import Conversation
from chat.demo.formula import Measure, Node, change, expression, measures, unit_of, values, words
from chat.demo.intents import Calculation, Given
from chat.demo.parts import Call, Reply
from chat.demo.values import Value, clean, joined, number_in, with_unit
from chat.demo.weather import Lookup, look_up, paragraphs, sample_note


def calculate(intent: Calculation, conversation: Conversation) -> Reply:
    wanted = [(m.city, m.units) for formula in intent.formulas for m in measures(formula)]
    lookup = look_up(wanted, conversation) if wanted else Lookup()
    if lookup.calls:
        return ask(lookup.calls, conversation)
    filled = [_filled(formula, lookup) for formula in intent.formulas]
    ready = [formula for formula in filled if not any(measures(formula))]
    calls = [Call("calculate", {"expression": expression(formula)}) for formula in ready]
    missing = [call for call in calls if conversation.current.outcome_of(call) is None]
    if missing:
        reply = ask(missing, conversation)
        return reply if reply.calls else Reply(paragraphs([reply.text, *lookup.trouble()]))
    results = [_result(formula, call, conversation) for formula, call in zip(ready, calls, strict=True)]
    left = [_left_out(formula) for formula in filled if formula not in ready]
    found = list(lookup.found.values())
    return Reply(paragraphs([*results, *lookup.trouble(), *left, sample_note(found)]))


def given(intent: Given) -> Reply:
    shown = joined([f"{with_unit(value)} in {value.place}" for value in intent.values])
    return Reply(f"You tell me: {shown}. You can ask for the average, the sum or the difference.")


def _filled(formula: Node, lookup: Lookup) -> Node:
    """The formula with what was found put in; what was not found stays a Measure."""

    def swap(measure: Measure) -> Node:
        found = lookup.found.get(measure.city)
        return (found.values.get(measure.quantity) if found else None) or measure

    return change(formula, swap)


def _left_out(formula: Node) -> str:
    """What is known of a calculation that cannot be made."""
    known = [f"{with_unit(value)} in {value.place}" for value in values(formula) if value.place]
    missing = joined(list(dict.fromkeys(f"the {m.quantity} in {m.city}" for m in measures(formula))))
    told = f" I did find {joined(known)}." if known else ""
    return f"Without {missing} there is nothing to calculate.{told}"


def _result(formula: Node, call: Call, conversation: Conversation) -> str:
    outcome = conversation.current.outcome_of(call)
    shown = call.arguments["expression"]
    if outcome is None or outcome.error:
        return f"I could not calculate `{shown}`: {(outcome.error if outcome else 'no result came back').rstrip('.')}."
    if "result" not in outcome.data:
        return f"I could not read the result of `{shown}`: it came back as `{outcome.text.strip()[:100]}`."
    number = number_in(outcome.data["result"])
    if number is None:
        return f"`{shown}` is **{outcome.data['result']}**."
    said, result = words(formula), f"**{_with_unit(formula, number)}**"
    if not said.startswith("`"):
        return f"{said[:1].upper()}{said[1:]} is {result}: `{shown}` = {clean(number)}."
    return paragraphs([*_facts(formula), f"`{shown}` is {result}."])


def _facts(formula: Node) -> list[str]:
    facts = dict.fromkeys(
        f"The {value.quantity} in {value.place} is {with_unit(value)}." for value in values(formula) if value.quantity
    )
    return [" ".join(facts)] if facts else []


def _with_unit(formula: Node, number: int | float) -> str:
    return with_unit(Value(number, unit_of(formula)))
