"""A damaged release set aside: out of the way of its action, and kept as it is for whoever looks into it."""

from __future__ import annotations

from datetime import UTC, datetime

from strike_reporting.ledger import Ledger, ledger_of
from strike_reporting.ledger.records import Cut
from strike_reporting.publishing.manifest import release_folder
from strike_reporting.publishing.releases import NoRelease, point, pointer_key
from strike_reporting.storage import Store


def set_aside(store: Store, release_id: str) -> str:
    """Take a release out of what is published, and move its folder to `releases/<action>/set-aside/<number>-<n>/`.

    The release before becomes the current one; the next round publishes the action under a new number. Cut short, it is
    finished by doing it again.

    Returns:
        The folder's new place.

    Raises:
        NoRelease: the ledger knows no such release.
    """
    ledger = ledger_of(store)
    cut = ledger.published.find(release_id.replace(";", "_"))
    if cut is None:
        raise NoRelease(f"there is no release {release_id!r}; `strikes release list` names the current ones")
    slug = cut.release_id.rpartition(".r")[0]
    folder = release_folder(slug, cut.number)
    place = _place(store, slug, cut)
    now = ledger.published.set_aside(cut)
    _no_mail(ledger, cut)
    if now is None:
        store.delete(pointer_key(slug))
    else:
        point(store, slug, now)
    for key in store.list(folder):
        store.write(f"{place}/{key.removeprefix(f'{folder}/')}", store.read(key))
        store.delete(key)
    for key in store.list(f"site/{slug}" if now is None else f"site/{slug}/{cut.number:04d}"):
        store.delete(key)
    ledger.keep_fact("front", "")  # the pages across releases are drawn again
    return place


def _place(store: Store, slug: str, cut: Cut) -> str:
    """The first folder that is free, or the last one when a moving to it was cut short."""
    taken = [k.split("/")[3] for k in store.list(f"releases/{slug}/set-aside")]
    numbers = [int(t.partition("-")[2]) for t in taken if t.startswith(f"{cut.number:04d}-")]
    last = max(numbers, default=0)
    return f"releases/{slug}/set-aside/{cut.number:04d}-{last if last and cut.state == 'set_aside' else last + 1}"


def _no_mail(ledger: Ledger, cut: Cut) -> None:
    for letter in ledger.letters.due():
        if letter.about == cut.release_id:
            ledger.letters.put(letter, "expired", f"set aside on {datetime.now(UTC):%d %B %Y}")
