"""Which column is which field: by what the headings are called and by what stands under them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from strike_reporting.extracts import Contract, slug
from strike_reporting.extracts import Field as ContractField
from strike_reporting.intake.proposing.answers import NONE, BadAnswer
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
    field whose counts those are. uppers: where several upper headings each have such columns, those by upper heading,
    the likeliest first. asks_upper: `wide` is the first of them, and nobody has said so. dismissed: what was said to be
    of no interest.
    """

    sure: dict[str, Column] = field(default_factory=dict)
    unsure: dict[str, list[Column]] = field(default_factory=dict)
    wide: dict[int, dict[str, str]] = field(default_factory=dict)
    unsure_wide: dict[int, str] = field(default_factory=dict)
    split: str = ""
    value: str = ""
    uppers: dict[str, dict[int, str]] = field(default_factory=dict)
    asks_upper: bool = False
    dismissed: set[int] = field(default_factory=set)

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

    def upper(self, name: str, place: int) -> str:
        """What a heading says beside the value of a field that it speaks of: what stands above, or its other words."""
        heading, f = self.headed.headings[place], self.contract.field(name)
        if self.headed.depth > 1:
            return heading.removesuffix(self.headed.lowest[place]).strip()
        about = self.words.about(f, self.meant(name, place) or f.values[0].code)
        return " ".join(w for w in heading.split() if not self.words.read(w) <= about)

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


def assign(
    weighing: Weighing, said: Mapping[str, str], wide: Mapping[str, str] | None = None, under: str | None = None
) -> Assigned:
    """Give each field its column, wide columns first.

    Args:
        weighing: the table's columns.
        said: fields whose column was said, by heading; an empty one has none.
        wide: by heading, the value that a wide column was said to stand for; `none` of a column that does not.
        under: the upper heading that was said to have the counts; an empty one is of those that have none.

    Raises:
        BadAnswer: the values said of wide columns are not all of one field.
    """
    done = Assigned()
    headings = weighing.headed.headings
    free = {p for p, h in enumerate(headings) if h}
    for name, heading in said.items():
        if heading in headings:
            done.sure[name] = Column(headings.index(heading), heading, 1.0, "said")
            free.discard(headings.index(heading))
    _wide(weighing, done, free, said, wide or {}, under)
    free -= {*done.wide, *done.unsure_wide, *done.dismissed} | {p for of in done.uppers.values() for p in of}
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
    weighing: Weighing,
    done: Assigned,
    free: set[int],
    said: Mapping[str, str],
    answers: Mapping[str, str],
    under: str | None,
) -> None:
    """Columns of counts whose headings each speak of another value of one field, which has no column of its own."""
    contract, headings = weighing.contract, weighing.headed.headings
    done.dismissed = {p for p in free if answers.get(headings[p]) == NONE}
    named = {p: v for p, h in enumerate(headings) if (v := answers.get(h, NONE)) != NONE}
    if named and (column := done.sure.pop(contract.count_field, None)):
        free.add(column.place)  # one column of several: it stands for a value as the others do
    counts = [p for p in weighing.numeric if p in free and p not in done.dismissed]
    meant: dict[int, str] = {}
    for f in sorted(contract.fields, key=lambda f: not f.required):
        if not f.values or said.get(f.name):
            continue
        if any(weighing.weights.get((f.name, p), (0.0,))[0] >= SURE for p in free - {*counts}):
            continue
        fixed = {p: code for p, text in named.items() if (code := f.lookup.get(slug(text)))}
        if len(fixed) < len(named):
            continue
        found, uppers = _one_each(weighing, f, counts, fixed, under)
        if len(found) > max(len(meant), 0 if fixed else 1):
            meant, done.split, done.uppers = found, f.name, uppers
    if named and not meant:
        raise _no_field(contract, {headings[p]: text for p, text in named.items()})
    if not meant:
        return
    done.value = _value(weighing, list(meant))
    done.asks_upper = bool(done.uppers) and under not in done.uppers
    if not done.asks_upper:
        done.dismissed |= {p for of in done.uppers.values() for p in of if p not in meant}
    for place, code in meant.items():
        others = {
            f.name: other
            for f in contract.fields
            if f.values and f.required and f.name != done.split and not said.get(f.name)
            if (other := weighing.meant(f.name, place))
        }
        says = {done.split: code, **others}
        if place in named or done.asks_upper or weighing.is_explained(place, done.value, says):
            done.wide[place] = says
        else:
            done.unsure_wide[place] = code


def _one_each(
    weighing: Weighing, f: ContractField, counts: list[int], fixed: Mapping[int, str], under: str | None
) -> tuple[dict[int, str], dict[str, dict[int, str]]]:
    """The columns that stand for a value of a field, no two for the same; and the same by upper heading, if several.

    Where a value has more than one column (booked and cancelled, say), those under one upper heading belong together.
    """
    meant = {p: code for p in counts if (code := weighing.meant(f.name, p))} | {**fixed}
    uppers: dict[str, dict[int, str]] = {}
    for place, code in meant.items():
        uppers.setdefault(weighing.upper(f.name, place), {})[place] = code
    if under in uppers:
        return {**uppers[under], **fixed}, uppers
    if len({*meant.values()}) == len(meant):
        return meant, {}
    if fixed or under == NONE:
        return {**fixed}, {}
    uppers = {u: of for u, of in uppers.items() if len(of) > 1 and len({*of.values()}) == len(of)}
    if not uppers:
        return {}, {}
    score = {
        u: max((n.score for n in weighing.words.field(u) if n.name in weighing.contract.whole_numbers), default=0.0)
        for u in uppers
    }
    uppers = {u: uppers[u] for u in sorted(uppers, key=lambda u: -score[u])}
    return next(iter(uppers.values())), uppers if len(uppers) > 1 else {}


def _no_field(contract: Contract, named: Mapping[str, str]) -> BadAnswer:
    """Why no field takes the values that were said of wide columns."""
    codes = {v.code for f in contract.fields for v in f.values}
    for heading, text in named.items():
        if not any(slug(text) in f.lookup for f in contract.fields):
            return BadAnswer(f"unpivot.columns.{heading}", f"{text!r} is no value of {contract.name}", text, codes)
    what = f"{', '.join(named.values())}: no field without a column of its own has all of these values"
    return BadAnswer(f"unpivot.columns.{next(iter(named))}", f"{what}; say columns.FIELD=none of one that has none")


def _value(weighing: Weighing, places: list[int]) -> str:
    """The field whose counts wide columns hold: the one that their headings name best, else the extract's count."""
    contract = weighing.contract
    scores = {
        n: sum(weighing.weights.get((n, p), (0.0,))[0] for p in places) / len(places) for n in contract.whole_numbers
    }
    best = max(scores, key=lambda n: scores[n])
    return best if scores[best] - scores[contract.count_field] > _CLEAR else contract.count_field
