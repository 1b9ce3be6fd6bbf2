"""A sentence with holes for its numbers, reduced to formulas phrase by phrase."""

import re

from chat.demo.formula import Apply, Node, Written, unit_of
from chat.demo.phrases import BRACKETS, CHAIN, HOLE, OPERATOR, RULES, SIGNS

FIRST_HOLE = 0xE000
TOKEN = re.compile(rf"{HOLE}|{OPERATOR}", re.IGNORECASE)
ARGUMENT = re.compile(r" ?, ?")
TRIGONOMETRY = ("sin", "cos", "tan")


class Sheet:
    """A text in which private use characters stand for the numbers and formulas in `nodes`."""

    def __init__(self) -> None:
        self.text = ""
        self.nodes: list[Node] = []

    def hole(self, node: Node) -> str:
        self.nodes.append(node)
        return f" {chr(FIRST_HOLE + len(self.nodes) - 1)} "

    def node(self, hole: str) -> Node:
        return self.nodes[ord(hole) - FIRST_HOLE]

    def holes(self, text: str | None = None) -> list[Node]:
        """The nodes that stand in the text, in order."""
        return [self.node(hole) for hole in re.findall(HOLE, self.text if text is None else text)]

    def reduce(self) -> None:
        """Replaces phrases by their formulas until none is left: brackets first, plain chains of operators last."""
        self.text = re.sub(r"\s+", " ", self.text).strip()
        while self._brackets() or self._phrase() or self._chain():
            self.text = re.sub(r"\s+", " ", self.text).strip()

    def _put(self, match: re.Match[str], new: str) -> bool:
        self.text = self.text[: match.start()] + new + self.text[match.end() :]
        return True

    def _brackets(self) -> bool:
        match = BRACKETS.search(self.text)
        if match is None:
            return False
        name, inside = match.groups()
        arguments = [self._written(part) for part in ARGUMENT.split(inside)]
        if name is None:
            return self._put(match, self.hole(arguments[0]) if len(arguments) == 1 else f" {inside} ")
        if name.lower() == "log" and len(arguments) == 2:
            return self._put(match, self.hole(Apply("log base", (arguments[1], arguments[0]))))
        return self._put(match, self.hole(Apply("log" if name.lower() == "ln" else name.lower(), tuple(arguments))))

    def _phrase(self) -> bool:
        for pattern, operation, order in RULES:
            if match := pattern.search(self.text):
                parts = self.holes(match.group())
                parts = [parts[i] for i in order] if order else parts
                if operation in TRIGONOMETRY and unit_of(parts[0]) == "degrees":
                    operation += " degrees"
                return self._put(match, self.hole(Apply(operation, tuple(parts))))
        return False

    def _chain(self) -> bool:
        match = CHAIN.search(self.text)
        return match is not None and self._put(match, self.hole(self._written(match.group(1))))

    def _written(self, text: str) -> Node:
        tokens = TOKEN.findall(text)
        if len(tokens) == 1:
            return self.node(tokens[0])
        if len(tokens) == 2:
            return Apply("negative", (self.node(tokens[1]),))
        return Written(tuple(self.node(t) if re.match(HOLE, t) else SIGNS.get(t.lower(), t) for t in tokens))
