"""The owner hears of what failed, fell silent or changed: once a day, with what to do, and when it is over."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import time_machine
from conftest import ROOT, judge
from inbox import Hook, Inbox, inbox
from servers import authority
from strike_reporting.errors import Away, OurFault
from strike_reporting.intake.collecting import collect
from strike_reporting.intake.registry import load_feeds
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.records import Pull
from strike_reporting.ledger.remote import Change
from strike_reporting.operations import watch
from strike_reporting.operations.drift import drift
from strike_reporting.operations.rounds import end_collection
from strike_reporting.operations.starter import write_starter
from strike_reporting.operations.troubles import Message, Trouble, run_failed, tell
from strike_reporting.storage import Store

__all__ = ["inbox"]  # a fixture
pytestmark = pytest.mark.integration
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)
HEAD = "ods_code,activity_date,point_of_delivery,status,cancelled_count"
ONE = Trouble("run collect_extracts plan", "collect_extracts: it failed", "mend it")
TWO = Trouble("pull RHU.cancellations", "RHU.cancellations: the last pull failed: {{ 7 * 6 }} <away>", "ask")


def connect(patch: pytest.MonkeyPatch, hook: Hook, schema: str = "http", **extra: object) -> None:
    value = {"conn_type": "http", "host": "127.0.0.1", "port": hook.server.server_port, "schema": schema}
    patch.setenv("AIRFLOW_CONN_STRIKES_WEBHOOK", json.dumps({**value, "extra": {"path": "/hook/x", **extra}}))


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    held = Hook()
    connect(monkeypatch, held, bearer="sesame")
    monkeypatch.syspath_prepend(str(ROOT / "plugins"))
    yield held
    held.server.shutdown()


class Owner:
    """Who is told, and what."""

    def __init__(self, store: Store) -> None:
        self.store, self.messages = store, list[Message]()

    def hear(self, now: datetime, *found: Trouble, looked_at: Callable[[str], bool] = lambda _: True) -> list[str]:
        """What is told at a moment."""
        self.messages.clear()
        tell(self.store, now, found, looked_at, lambda: [self.messages.append])
        return [f"{'over ' if t in m.over else ''}{t.key}" for m in self.messages for t in (*m.fresh, *m.over)]


def test_a_trouble_is_told_once_a_day_and_once_when_it_is_over(store: Store) -> None:
    owner = Owner(store)
    assert owner.hear(NOW, ONE) == [ONE.key]
    assert owner.hear(NOW + timedelta(hours=1), ONE) == []
    assert owner.hear(NOW + timedelta(hours=2), ONE, TWO) == [TWO.key]
    assert owner.hear(NOW + DAY, ONE, TWO) == [ONE.key, TWO.key], "it stands: again on the next day"
    assert owner.hear(NOW + DAY, TWO, looked_at=lambda key: key == TWO.key) == [], "nobody looked at the other"
    assert owner.hear(NOW + DAY, TWO) == [f"over {ONE.key}"]
    assert owner.hear(NOW + DAY, ONE, TWO) == [], "one that comes and goes is told once a day"
    assert owner.hear(NOW + DAY, TWO) == []
    assert owner.hear(NOW + 2 * DAY, ONE, TWO) == [ONE.key, TWO.key]
    owner.hear(NOW + 2 * DAY)
    owner.hear(NOW + 40 * DAY, Trouble("x y", "z"))
    assert list(ledger_of(store).facts("trouble ")) == ["trouble x y"], "what is long over is forgotten"


def test_what_nobody_could_be_told_is_told_later_and_one_channel_is_enough(store: Store) -> None:
    def broken(_: Message) -> None:
        raise OSError("no route")

    heard: list[Message] = []
    with pytest.raises(OurFault, match="no route"):
        tell(store, NOW, [ONE], lambda _: True, lambda: [broken])
    assert tell(store, NOW, [ONE], lambda _: True, list) is None, "there is no channel at all"
    assert tell(store, NOW, [ONE], lambda _: True, lambda: [broken, heard.append]) == heard[0]
    assert ONE.do in heard[0].text and heard[0].subject == f"Strike reporting: {ONE.what}"


def test_two_that_find_it_at_once_tell_it_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[Message] = []

    def meanwhile() -> list[Callable[[Message], None]]:
        tell(store, NOW, [ONE], lambda _: True, lambda: [heard.append])
        return [heard.append]

    tell(store, NOW, [ONE], lambda _: True, meanwhile)
    assert len(heard) == 1


def test_mail_and_webhook_get_it_and_no_text_is_a_template(store: Store, inbox: Inbox, hook: Hook) -> None:
    from strikes_notify import tell_owner

    tell_owner([ONE, TWO], lambda _: True)
    tell_owner([ONE, TWO], lambda _: True)
    [message], [recipients], [posted] = inbox.messages, inbox.recipients, hook.got
    assert recipients == ["owner@nhs.example", "second@nhs.example"]
    assert message["Subject"] == f"Strike reporting: {ONE.what} (and 1 more)"
    assert message["Date"] and message["Message-ID"].endswith("@nhs.example>")
    body = message.get_body(("html",)).get_content()
    assert "{{ 7 * 6 }} &lt;away&gt;" in body and "What to do: mend it" in body
    assert [t["key"] for t in posted["troubles"]] == [ONE.key, TWO.key] and "{{ 7 * 6 }}" in posted["text"]
    assert hook.auth == ["/hook/x Bearer sesame"]
    tell_owner([TWO], lambda _: True)
    assert hook.got[1]["over"] == [{"key": ONE.key, "what": ONE.what}] and "Over:" in hook.got[1]["text"]


def test_without_connections_nothing_happens(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "plugins"))
    from strikes_notify import channels, tell_owner

    assert channels() == []
    tell_owner([ONE], lambda _: True)
    assert ledger_of(store).facts("trouble ") == {}


@pytest.mark.parametrize("inbox", [{"owner": ""}], indirect=True)
def test_mail_without_an_owner_tells_nobody(store: Store, inbox: Inbox) -> None:
    from strikes_notify import channels

    assert channels() == []


def test_a_webhook_is_told_only_over_tls_that_verifies(
    store: Store, hook: Hook, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from strikes_notify import tell_owner

    ca, certificate, key = authority(tmp_path / "tls")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    hook.server.socket = context.wrap_socket(hook.server.socket, server_side=True)
    connect(monkeypatch, hook, "https")
    with pytest.raises(OurFault, match=r"was not reached \(ConnectError\)"):
        tell_owner([ONE], lambda _: True)
    connect(monkeypatch, hook, "https", ca=str(ca))
    tell_owner([ONE], lambda _: True)
    assert len(hook.got) == 1
    hook.answer = 500
    with pytest.raises(OurFault, match="answered 500"):
        tell_owner([TWO], lambda _: True)


def test_a_failed_task_is_told_with_its_fault_and_what_to_do(store: Store, hook: Hook) -> None:
    from strikes_notify import OwnerNotifier

    ti = SimpleNamespace(dag_id="validate_extracts", task_id="verdict", run_id="scheduled__1")
    OwnerNotifier()({"ti": ti, "exception": OurFault("not judged: a.csv; `strikes doctor` says what mends it")})
    OwnerNotifier()({"ti": ti, "exception": OurFault("not judged: b.csv")})
    [posted] = hook.got
    [told] = posted["troubles"]
    assert "the task verdict failed in the run scheduled__1: not judged: a.csv; `strikes doctor`" in told["what"]
    assert "docs/runs.md" in told["do"] and told["key"] == "run validate_extracts verdict"


def test_that_the_ledger_itself_is_away_is_told_once_a_day(
    store: Store, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    import strikes_notify

    kept: dict[str, str] = {}
    variable = SimpleNamespace(get=lambda key, default: kept.get(key, default), set=kept.__setitem__)
    monkeypatch.setattr(strikes_notify, "Variable", variable)
    monkeypatch.setattr("strike_reporting.operations.troubles.ledger_of", _away)
    for task in ("plan", "chase"):
        ti = SimpleNamespace(dag_id="collect_extracts", task_id=task, run_id="r")
        strikes_notify.OwnerNotifier()({"ti": ti, "exception": Away("the ledger is away")})
    assert [said["subject"] for said in hook.got] == [
        "Strike reporting: the ledger is away (run collect_extracts plan)"
    ]


def _away(_: Store) -> None:
    raise Away("the ledger is away")


@pytest.mark.parametrize(
    ("error", "do"),
    [(Away("the ledger is away"), "the next round does the rest"), (KeyError("x"), "traceback"), (None, "memory")],
)
def test_each_kind_of_failure_says_what_to_do(error: Exception | None, do: str) -> None:
    assert do in run_failed("d", "t", "r", error).do


@pytest.fixture
def feeds(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_starter(tmp_path / "config")
    row = "- {trust: RHU, extract: cancellations, location: rhu, contact: one@rhu.example}\n"
    (tmp_path / "config" / "feeds" / "feeds.yaml").write_text(row + row.replace("RHU", "RHM").replace("rhu", "rhm"))
    monkeypatch.setenv("STRIKES_CONFIG", str(tmp_path / "config"))
    (home / "inbox" / "rhu").mkdir(parents=True)
    return home / "inbox" / "rhu"


def test_a_round_tells_what_fails_and_silence_only_when_returns_are_due(
    store: Store, feeds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet = watch.Warned("RHU.cancellations", "silent for 9 days")
    monkeypatch.setattr(watch, "feed_warnings", lambda *_: [*watch.failing(store, load_feeds()), quiet])
    owner = Owner(store)

    def round_at(when: str) -> list[str]:
        heard: list[str] = []
        with time_machine.travel(datetime.fromisoformat(when), tick=False):
            end_collection(
                "run",
                {"landed": 2},
                [],
                tell=lambda f, at: heard.extend(owner.hear(datetime.now(UTC), *f, looked_at=at)),
            )
        return heard

    pull = Pull(feed_id="RHU.cancellations", collection="x", status="failed", reason="its server is away")
    ledger_of(store).receiving.pulled([(pull, Change())])
    assert round_at("2023-04-08T07:00+01:00") == ["pull RHU.cancellations"], "no strike is near"
    assert "strikes feed files RHU.cancellations" in owner.messages[0].fresh[0].do
    assert round_at("2023-04-08T07:10+01:00") == []
    assert round_at("2023-04-12T07:00+01:00") == ["pull RHU.cancellations", "silent RHU.cancellations"]
    ledger_of(store).receiving.pulled([(pull.model_copy(update={"status": "landed"}), Change())])
    assert round_at("2023-04-12T07:10+01:00") == ["over pull RHU.cancellations"], (
        "who is silent is looked at once a day"
    )


def test_an_owner_who_cannot_be_told_fails_no_round(
    store: Store, feeds: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def tell(*_: object) -> None:
        raise OurFault("the owner was not told: no route")

    assert end_collection("run", {"landed": 2}, [], tell=tell) == []
    assert "the owner was not told: no route" in caplog.text


def test_headings_that_changed_are_drift_until_they_fit_again(store: Store, feeds: Path) -> None:
    owner = Owner(store)

    def come(name: str, head: str, row: str) -> list[str]:
        (feeds / name).write_text(f"{head}\n{row}\n")
        collect(store, "r", load_feeds())
        found, looked_at = drift(store, [o.submission_id for o in judge(store)])
        return owner.hear(NOW, *found, looked_at=lambda key: key in looked_at)

    row = "RHU,2023-04-11,day_case,cancelled,4"
    assert come("a.csv", HEAD, row) == []
    assert come("b.csv", f"{HEAD},Ward colour", f"{row},blue") == ["drift RHU.cancellations"]
    assert "'b.csv' has columns that its file before had not" in owner.messages[0].fresh[0].what
    assert "nothing maps: 6: [withheld" in owner.messages[0].fresh[0].what, "a heading may hold anything"
    assert come("c.csv", f"{HEAD},Ward colour", f"{row},red") == ["over drift RHU.cancellations"], "as before"
    assert come("d.csv", HEAD.replace("cancelled_count", "how_many"), row) == [], "told today already"
    found, _ = drift(store, [o.submission_id for o in ledger_of(store).judged.listed()])
    assert "the headings of 'd.csv' are not those of its dialect" in found[0].what and "strikes errors" in found[0].do
