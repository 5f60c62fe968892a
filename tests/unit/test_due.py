"""Rounds by the strike calendar: each local minute once, whatever the clocks and the overlaps do."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from announced import action
from hypothesis import example, given
from hypothesis import strategies as st
from strike_reporting.cli import app
from strike_reporting.cli.calendar import coming
from strike_reporting.clock import LONDON
from strike_reporting.errors import OurFault
from strike_reporting.reference import actions as known
from strike_reporting.reference.actions import Action
from strike_reporting.reference.due import Calendar, Hours, Round, calendar, calendar_of, calendar_or_always
from strike_reporting.reference.facts import ReferenceError, read_csv, reference_folder
from strike_reporting.settings import Settings, settings
from typer.testing import CliRunner

CLOCKS = (date(2026, 3, 29), date(2026, 10, 25))  # forward at 01:00 GMT, back at 02:00 BST


def moment(day: date, hour: int = 0, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), LONDON).astimezone(UTC)


def of_days(made: Calendar, first: date, last: date) -> list[Round]:
    """The rounds of these days in London."""
    return made.rounds_between(moment(first) - timedelta(microseconds=1), moment(last, 23, 59))


def said(rounds: list[Round]) -> list[str]:
    return [r.round_id for r in rounds]


dates_near_a_change = st.sampled_from(CLOCKS).flatmap(lambda d: st.integers(-6, 6).map(lambda n: d + timedelta(days=n)))


@st.composite
def all_hours(draw: st.DrawFn) -> Hours:
    """Any, and often those of the night in which the clocks change."""
    first = draw(st.one_of(st.integers(0, 180), st.integers(0, 1439)))
    last = first + draw(st.integers(0, 300))
    return Hours(
        first, last, draw(st.sampled_from((1, 7, 10, 30, 60))), draw(st.one_of(st.just(90), st.integers(0, 1439)))
    )


@st.composite
def some_actions(draw: st.DrawFn) -> list[Action]:
    made = []
    for number in range(draw(st.integers(0, 4))):
        first = draw(dates_near_a_change)
        status = draw(st.sampled_from(("announced", "went_ahead", "suspended", "called_off")))
        days = [f"{first + timedelta(days=draw(st.integers(-20, 3)))}", ""]
        told = {"announced_on": draw(st.sampled_from(days)), "status_date": draw(st.sampled_from(days))}
        made.append(action(first, draw(st.integers(1, 5)), f"A{number}", status=status, **told))
    return made


calendars = st.builds(lambda a, h: replace(calendar_of(Settings(), a), hours=h), some_actions(), all_hours())


def shown_once(wall: datetime) -> datetime:
    """The minute in London at which what is due at a wall clock's time is done: the first that is shown from it on."""
    minutes = (wall + timedelta(minutes=m) for m in range(61))
    return next(m for m in minutes if m.replace(tzinfo=LONDON).astimezone(UTC).astimezone(LONDON).hour == m.hour)


@given(calendars)
def test_every_minute_that_is_asked_for_is_one_round_and_nothing_else_is(made: Calendar) -> None:
    first, last = date(2026, 2, 1), date(2026, 12, 1)
    wanted = set()
    pulled = {day for spell in made.spells for day in spell.pulled}
    for number in range(-1, (last - first).days + 1):
        midnight = datetime.combine(first + timedelta(days=number), time.min)
        minutes = {made.hours.daily}
        if midnight.date() in pulled:
            minutes = {*range(made.hours.first, made.hours.last, made.hours.every), made.hours.last}
            if not made.hours.first <= made.hours.daily <= made.hours.last:
                minutes.add(made.hours.daily)
        wanted |= {shown_once(midnight + timedelta(minutes=m)) for m in minutes}
    rounds = of_days(made, first, last)
    assert [r.local for r in rounds] == sorted(w for w in wanted if first <= w.date() <= last)
    assert len({r.due_at for r in rounds}) == len(rounds)
    assert [r.due_at for r in rounds] == sorted(r.due_at for r in rounds)


@given(calendars, st.lists(st.integers(0, 60 * 24 * 60), min_size=1, max_size=6))
def test_looks_that_follow_one_another_see_each_round_once(made: Calendar, minutes: list[int]) -> None:
    begin = moment(date(2026, 10, 1))
    looks = [begin, *(begin + timedelta(minutes=m) for m in sorted(minutes))]
    seen = [r for a, b in pairwise(looks) for r in made.rounds_between(a, b)]
    assert seen == made.rounds_between(looks[0], looks[-1])


@given(calendars, st.datetimes(datetime(2026, 3, 20), datetime(2026, 11, 1)))
def test_the_next_round_and_the_last_one_have_none_between(made: Calendar, naive: datetime) -> None:
    now = naive.replace(tzinfo=UTC)
    before, coming = made.last_until(now), made.next_after(now)
    assert before.due_at <= now < coming.due_at
    assert made.rounds_between(before.due_at, coming.due_at) == [coming]
    assert made.next_after(before.due_at) == coming


@given(calendars, st.sampled_from((0, 15)))
def test_what_is_kept_is_the_same_calendar_with_the_same_hash(made: Calendar, minutes: int) -> None:
    made = made.behind(minutes)
    again = Calendar.load(json.loads(json.dumps(made.dump())))
    assert (again, again.sha256) == (made, made.sha256)


@pytest.mark.slow
@given(calendars, some_actions())
def test_a_further_action_takes_no_action_from_a_round(made: Calendar, others: list[Action]) -> None:
    more = calendar_of(Settings(), [replace(a, action_id=f"B{a.action_id}") for a in others]).spells
    alone = of_days(made, date(2026, 9, 25), date(2026, 11, 20))
    together = {
        r.due_at: r for r in of_days(replace(made, spells=made.spells + more), date(2026, 9, 25), date(2026, 11, 20))
    }
    for one in alone:
        if one.due_at in together:
            assert set(one.serves) <= set(together[one.due_at].serves)
        else:  # its daily round is one of the pulls that the others ask for
            assert made.hours.first < made.hours.last and one.local.date() in {d for s in more for d in s.pulled}
            held = {s for r in together.values() if r.local.date() == one.local.date() for s in r.serves}
            assert set(one.serves) <= held


def test_a_strike_is_prepared_collected_in_arrears_and_followed_up() -> None:
    made = calendar_of(Settings(), [action(date(2026, 6, 15), 3, announced_on="2026-06-05")])
    kinds = {d: Counter() for d in (date(2026, 6, 1) + timedelta(days=n) for n in range(45))}
    for one in of_days(made, date(2026, 6, 1), date(2026, 7, 15)):
        kinds[one.local.date()][one.kind] += 1
    quiet, before, after = {"quiet": 1}, {"before": 1}, {"after": 1}
    strike = {"during": 32}  # 07:00 to 12:00, and the daily one
    expected = [quiet] * 4 + [before] * 10 + [{"during": 1}] + [strike] * 3 + [after] * 14
    assert list(kinds.values()) == expected + [quiet] * (45 - len(expected))
    day = of_days(made, date(2026, 6, 16), date(2026, 6, 16))
    assert said(day)[:2] + said(day)[-2:] == [f"2026-06-16T{t}" for t in ("07:00", "07:10", "12:00", "17:10")]
    assert day[0].due_at == datetime(2026, 6, 16, 6, tzinfo=UTC)


def test_a_strike_called_off_beforehand_is_followed_up_and_never_pulled() -> None:
    called_off = action(date(2026, 6, 15), 5, announced_on="2026-06-05", status="called_off", status_date="2026-06-14")
    rounds = of_days(calendar_of(Settings(), [called_off]), date(2026, 6, 1), date(2026, 7, 31))
    kinds = Counter(r.kind for r in rounds)
    assert kinds == {"before": 10, "after": 6 + 14, "quiet": 61 - 30}
    assert rounds[13].why == "what trusts expect to cancel (A)" and rounds[14].kind == "after"


def test_of_a_strike_suspended_halfway_the_days_that_were_struck_are_pulled() -> None:
    suspended = action(date(2026, 6, 15), 5, status="suspended", status_date="2026-06-16")
    [spell] = calendar_of(Settings(), [suspended]).spells
    assert spell.pulled == (date(2026, 6, 16), date(2026, 6, 17))
    assert (spell.kind_on(date(2026, 6, 17)), spell.kind_on(date(2026, 6, 18))) == ("during", "after")


pulled_in_the_hour_that_is_skipped = replace(
    calendar_of(Settings(), [action(CLOCKS[0] - timedelta(days=1), 1)]), hours=Hours(60, 120, 10, 1000)
)


@pytest.mark.slow
@given(calendars, st.sampled_from((15, 30)))
@example(pulled_in_the_hour_that_is_skipped, 30)
def test_what_looks_after_rounds_comes_soon_behind_each_and_never_alone(made: Calendar, minutes: int) -> None:
    net = made.behind(minutes)
    first, last = moment(date(2026, 3, 20)), moment(date(2026, 11, 1))
    rounds = made.rounds_between(first, last)
    behind = [r.due_at for r in net.rounds_between(first, last + timedelta(days=2))]
    assert len([b for b in behind if b <= last]) <= len(rounds), "it wakes no oftener"
    for one in rounds:  # pulls are looked after hourly, and a night may have an hour more
        asked = one.due_at + timedelta(minutes=minutes)
        assert behind[bisect_left(behind, asked)] - asked <= timedelta(hours=2)
    for due_at in behind:
        if due_at <= last:
            assert made.rounds_between(due_at - timedelta(hours=1, minutes=minutes), due_at), "an idle hour"


def test_a_strike_day_is_looked_after_hourly_and_a_quiet_one_once() -> None:
    net = calendar_of(Settings(), [action(date(2026, 6, 15), 1, announced_on="2026-06-05")]).behind(15)
    days = [f"{r.local:%d %H:%M}" for r in of_days(net, date(2026, 6, 15), date(2026, 6, 17))]
    hourly = [f"16 {hour:02}:15" for hour in range(7, 13)]
    assert days == ["15 17:25", *hourly, "16 17:25", "17 17:25"]


def test_announced_times_of_releases_are_asked_for_on_the_days_of_an_action_and_by_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held = [action(date(2026, 10, 24), 1, announced_on="2026-10-24")]
    at_once = calendar_of(Settings(), held).behind(30, releases=True)
    monkeypatch.setenv("STRIKES_CUT_AT_ONCE", "false")
    monkeypatch.setenv("STRIKES_RELEASE_TIMES", "09:40 00:10")
    made = calendar_of(Settings(), held)
    released = made.behind(30, releases=True)

    def days(of: Calendar) -> list[str]:
        return said(of_days(of, date(2026, 10, 23), date(2026, 10, 25)))

    assert days(made.behind(30)) == days(at_once), "nobody else is woken"
    times = [f"2026-10-{d}T{t}" for d in (24, 25) for t in ("00:10", "08:40", "09:40")]  # one of them an hour ahead
    evenings = [f"2026-10-{d}T23:10" for d in (23, 24, 25)]  # an hour ahead, on the day before
    assert sorted({*days(released)} - {*days(at_once)}) == sorted([*times, *evenings])
    [back] = [r for r in of_days(released, date(2026, 10, 25), date(2026, 10, 25)) if f"{r.local:%H:%M}" == "09:40"]
    assert back.due_at == datetime(2026, 10, 25, 9, 40, tzinfo=UTC), "the clocks were put back that night"
    assert Calendar.load(json.loads(json.dumps(released.dump()))) == released


def test_an_announced_time_behind_the_skipped_hour_is_woken_for_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STRIKES_CUT_AT_ONCE", "false")
    monkeypatch.setenv("STRIKES_RELEASE_TIMES", "02:10")
    made = calendar_of(Settings(), [action(CLOCKS[0] - timedelta(days=1), 1)]).behind(30, releases=True)
    assert datetime(2026, 3, 29, 1, 10, tzinfo=UTC) in [r.due_at for r in of_days(made, CLOCKS[0], CLOCKS[0])]


def test_the_hour_that_is_skipped_and_the_hour_that_comes_twice() -> None:
    hours = Hours(first=30, last=150, every=30, daily=1000)
    made = [replace(calendar_of(Settings(), [action(d - timedelta(days=1), 1)]), hours=hours) for d in CLOCKS]
    forward, back = (of_days(m, d, d)[:-1] for m, d in zip(made, CLOCKS, strict=True))
    assert said(forward) == ["2026-03-29T00:30", "2026-03-29T02:00", "2026-03-29T02:30"]
    assert [f"{r.due_at:%H:%M}" for r in forward] == ["00:30", "01:00", "01:30"]
    assert [f"{r.due_at:%d %H:%M}" for r in back] == ["24 23:30", "25 00:00", "25 00:30", "25 02:00", "25 02:30"]


def test_the_last_pull_is_at_the_end_of_the_grace_whatever_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIKES_PULL_EVERY_MINUTES", "45")
    monkeypatch.setenv("STRIKES_CUT_OFF_GRACE_MINUTES", "20")
    assert [f"{m // 60:02}:{m % 60:02}" for m in Hours.of(settings()).pulls][-2:] == ["10:45", "11:20"]


def test_a_cut_off_before_the_first_pull_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIKES_CUT_OFF", "06:30")
    with pytest.raises(OurFault, match="STRIKES_CUT_OFF = '06:30': value error, it is before the first pull, at 07:00"):
        settings()


def test_the_rounds_to_come_are_listed_by_day_and_reason() -> None:
    first, second = action(date(2026, 6, 15), 1, announced_on="2026-06-05"), action(date(2026, 6, 16), 1, "B")
    made = calendar_of(Settings(), [first, second])
    assert coming(made, moment(date(2026, 6, 16), 7, 5), 2) == [
        ("Tue 16 June 2026", "07:10 to 12:00", "30", "returns of a strike day (A)"),
        ("Tue 16 June 2026", "17:10", "1", "returns of a strike day (A, B)"),
        ("Wed 17 June 2026", "07:00 to 12:00", "31", "returns of a strike day (B)"),
        (
            "Wed 17 June 2026",
            "17:10",
            "1",
            "returns of a strike day (B); late returns, reinstatements and rebookings (A)",
        ),
    ]


def test_the_calendar_command_lists_rounds_of_an_action_that_an_overlay_adds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    tomorrow = datetime.now(LONDON) + timedelta(days=1)
    with overlaid(tmp_path, start=f"{tomorrow:%Y-%m-%d}T07:00", end=f"{tomorrow + timedelta(days=2):%Y-%m-%d}T07:00"):
        listed = CliRunner().invoke(app, ["calendar", "--days", "5"])
    assert listed.exit_code == 0, listed.output
    strike = [r for r in listed.stdout.splitlines() if "returns of a strike day (RD-2026-06-15)" in r]
    assert sum("07:00 to 12:00" in r and "│31│" in r.replace(" ", "") for r in strike) == 2, listed.stdout


@contextmanager
def overlaid(folder: Path, **columns: str) -> Iterator[None]:
    """The last action of the calendar as an overlay says it."""
    (folder / "reference").mkdir(exist_ok=True)
    header, *_, last = (reference_folder() / "strike_calendar.csv").read_text().splitlines()
    row = dict(zip(header.split(","), last.split(","), strict=True)) | columns
    (folder / "reference" / "strike_calendar.csv").write_text(f"{header}\n{','.join(row.values())}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STRIKES_CONFIG", str(folder))
        for cache in (settings, read_csv, known.actions):
            cache.cache_clear()
        yield
    for cache in (settings, read_csv, known.actions):
        cache.cache_clear()


def test_an_edited_calendar_has_another_hash_and_a_note_in_it_has_not(tmp_path: Path) -> None:
    with overlaid(tmp_path, note="reads better"):
        noted = calendar().sha256
    with overlaid(tmp_path, end="2026-06-18T07:00"):
        shorter = calendar().sha256
    assert noted == calendar().sha256 != shorter


@pytest.mark.parametrize(
    ("column", "value", "why"),
    [
        ("announced_on", "12 June", r"line 2: RD-2026-06-15 has the announced_on '12 June'; write a day as 2026-06-12"),
        ("start", "Monday", r"line 2: RD-2026-06-15 has a start or an end that is no time"),
        ("end", "2026-06-19T07:00+01:00", r"line 2: RD-2026-06-15 has a time zone; write London time without one"),
        ("start", "2026-06-19T07:00", r"line 2: RD-2026-06-15 ends at or before its start"),
    ],
)
def test_a_calendar_that_cannot_be_used_is_named_and_wakes_all_the_same(
    tmp_path: Path, column: str, value: str, why: str
) -> None:
    with overlaid(tmp_path, **{column: value}):
        with pytest.raises(ReferenceError, match=why):
            calendar()
        woken = of_days(calendar_or_always(), date(2027, 8, 1), date(2027, 8, 1))
    assert len(woken) == 32 and woken[0].round_id == "2027-08-01T07:00"


def test_the_days_of_the_revision_and_of_the_final_figures_have_their_announced_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STRIKES_CUT_AT_ONCE", "false")
    net = calendar_of(Settings(), [action(date(2026, 6, 15), 1, announced_on="2026-06-05")]).behind(30, releases=True)
    later = [r for r in of_days(net, date(2026, 7, 1), date(2026, 8, 31)) if f"{r.local:%H:%M}" == "09:30"]
    assert [(f"{r.local:%m-%d}", r.serves) for r in later] == [
        ("07-13", (("after", "A"),)),
        ("07-27", (("after", "A"),)),
    ]
