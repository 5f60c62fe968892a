"""Which column is which field: by what the headings are called and by what stands under them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from strike_reporting.extracts import Contract
from strike_reporting.intake.proposing.evidence import fits, is_count
from strike_reporting.intake.proposing.tables import Headed
from strike_reporting.intake.proposing.words import Words

SURE = 0.72  # a column from here on is proposed without a question
MAYBE = 0.45  # below it a column is not offered for a field that need not be there
_CLEAR = 0.08  # by so much the best must be ahead


@dataclass(frozen=True)
class Column:
    """A column as a field, with how sure that is, and the words that say why."""

    place: int
    heading: str
    confidence: float
    why: str


@dataclass
class Assigned:
    """What the columns of a table are.

    sure: by field. unsure: by field, the columns it might be, best first. wide: the places whose headings stand for a
    value of `split`, each with the constants that they say; unsure_wide: those that say something else too. value: the
    field whose counts those are.
    """

    sure: dict[str, Column] = field(default_factory=dict)
    unsure: dict[str, list[Column]] = field(default_factory=dict)
    wide: dict[int, dict[str, str]] = field(default_factory=dict)
    unsure_wide: dict[int, str] = field(default_factory=dict)
    split: str = ""
    value: str = ""

    @property
    def used(self) -> set[int]:
        """The places of all columns that something is known of."""
        return {c.place for c in self.sure.values()} | {*self.wide}


class Weighing:
    """How well each column of a table fits each field."""

    def __init__(self, headed: Headed, contract: Contract, words: Words) -> None:
        self.headed, self.contract, self.words = headed, contract, words
        self._values = [headed.column(p) for p in range(len(headed.headings))]
        self.numeric = [
            p for p, v in enumerate(self._values) if v and sum(map(is_count, v)) >= 0.6 * len(v)
        ]  # totals and footers stand among them
        self.weights = {
            (name, p): (c, why)
            for p, heading in enumerate(headed.headings)
            if heading
            for name, c, why in self._of(p, heading)
        }

    def _of(self, place: int, heading: str) -> list[tuple[str, float, str]]:
        named = {n.name: n.score for n in self.words.field(heading)}
        values = self._values[place]
        found = []
        for f in self.contract.fields:
            name = named.get(f.name, 0.0)
            fit, says = fits(f, self.contract, self.words, values)
            if fit < 0.5:
                confidence = name * 0.3
            elif name >= 0.3:
                confidence = name + (1 - name) * says * fit
            else:
                confidence = says * fit * (0.5 + name)
            if not values:
                confidence *= 0.9
            if confidence > 0.1:
                why = f"heading {name:.0%}" + (f", values {fit:.0%}" if values and says else "")
                found.append((f.name, confidence, why))
        return found

    def column(self, name: str, place: int) -> Column:
        """A column as a field."""
        confidence, why = self.weights.get((name, place), (0.0, "said"))
        return Column(place, self.headed.headings[place], confidence, why)

    def meant(self, name: str, place: int) -> str | None:
        """The value of a coded field that a heading speaks of: its last row's, before what stands above it."""
        f, headed = self.contract.field(name), self.headed
        return self.words.mentioned(f, headed.lowest[place]) or self.words.mentioned(f, headed.headings[place])

    def is_explained(self, place: int, value: str, fixed: Mapping[str, str]) -> bool:
        """Whether every word of a heading belongs to the counts or to one of the values it stands for."""
        rest = self.words.read(self.headed.headings[place]) - {w for p in self.words.phrases[value] for w in p}
        for name, code in fixed.items():
            rest -= self.words.about(self.contract.field(name), code)
        return not rest

    def best(self) -> float:
        """How much of an extract the headings show: for finding the row of headings."""
        left, found = {*range(len(self.headed.headings))}, {}
        for (name, place), (confidence, _) in sorted(self.weights.items(), key=lambda w: -w[1][0]):
            if place in left and name not in found and confidence >= MAYBE:
                left.discard(place)
                found[name] = confidence
        return sum(found.values())


def assign(weighing: Weighing, said: Mapping[str, str], wide: Mapping[str, str] | None = None) -> Assigned:
    """Give each field its column, wide columns first.

    Args:
        weighing: the table's columns.
        said: fields whose column was said, by heading; an empty one has none.
        wide: by heading, the value that a wide column was said to stand for; `none` of a column that does not.
    """
    done = Assigned()
    headings = weighing.headed.headings
    free = {p for p, h in enumerate(headings) if h}
    for name, heading in said.items():
        if heading in headings:
            done.sure[name] = Column(headings.index(heading), heading, 1.0, "said")
            free.discard(headings.index(heading))
    _wide(weighing, done, free, said, wide or {})
    free -= {*done.wide, *done.unsure_wide}
    pairs = sorted(
        ((c, name, p) for (name, p), (c, _) in weighing.weights.items() if p in free and name not in said), reverse=True
    )
    fields = {f.name for f in weighing.contract.fields} - {*said, done.split, done.value}
    taken: set[int] = set()
    for confidence, name, place in pairs:
        if name not in fields or name in done.sure or place in taken:
            continue
        rivals = [
            c for c, n, p in pairs if (n == name) != (p == place) and p not in taken - {place} and n not in done.sure
        ]
        clear = all(confidence - rival >= _CLEAR for rival in rivals)
        if confidence >= SURE and clear:
            done.sure[name] = weighing.column(name, place)
            taken.add(place)
    for confidence, name, place in pairs:
        needed = weighing.contract.field(name).required if name in fields else False
        if name in fields and name not in done.sure and place not in taken and confidence >= (0.3 if needed else MAYBE):
            done.unsure.setdefault(name, []).append(weighing.column(name, place))
    return done


def _wide(
    weighing: Weighing, done: Assigned, free: set[int], said: Mapping[str, str], answers: Mapping[str, str]
) -> None:
    """Columns of counts whose headings each speak of another value of one field, which has no column of its own."""
    contract, headings = weighing.contract, weighing.headed.headings
    counts = [p for p in weighing.numeric if p in free]
    best: tuple[int, str, dict[int, str]] = (1, "", {})
    for f in contract.fields:
        if not f.values or f.name in said:
            continue
        if any(weighing.weights.get((f.name, p), (0.0,))[0] >= SURE for p in free - {*counts}):
            continue
        meant = {p: code for p in counts if (code := weighing.meant(f.name, p))}
        if len(meant) > best[0] and len(set(meant.values())) == len(meant):
            best = (len(meant), f.name, meant)
    _, done.split, meant = best
    if not meant:
        return
    done.value = _value(weighing, list(meant))
    known = {v.code for v in contract.field(done.split).values}
    for place, code in {p: meant.get(p, "") for p in counts if p in meant or headings[p] in answers}.items():
        answer = answers.get(headings[place], "")
        if answer and answer not in known:
            continue
        others = {
            f.name: other
            for f in contract.fields
            if f.values and f.required and f.name != done.split and f.name not in said
            if (other := weighing.meant(f.name, place))
        }
        fixed = {done.split: answer or code, **others}
        if answer or weighing.is_explained(place, done.value, fixed):
            done.wide[place] = fixed
        else:
            done.unsure_wide[place] = code


def _value(weighing: Weighing, places: list[int]) -> str:
    """The field whose counts wide columns hold: the one that their headings name best, else the extract's count."""
    contract = weighing.contract
    scores = {
        n: sum(weighing.weights.get((n, p), (0.0,))[0] for p in places) / len(places) for n in contract.whole_numbers
    }
    best = max(scores, key=lambda n: scores[n])
    return best if scores[best] - scores[contract.count_field] > _CLEAR else contract.count_field
