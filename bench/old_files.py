"""What a pull costs where 50,000 files have long been landed: `python bench/old_files.py [FILES]`.

The servers run on this machine; the landings are made at one go, for they are not what is measured.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "integration"))
import sqlalchemy as sa
from servers import authority, free_port, nginx, ssh_key, sshd
from strike_reporting.intake.collecting import collect
from strike_reporting.intake.landing import object_key, submission_id
from strike_reporting.intake.registry import Feed
from strike_reporting.intake.transports import open_transport
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.receiving import restore
from strike_reporting.ledger.records import Receipt
from strike_reporting.ledger.remote import LANDED, Change, Remote, remember
from strike_reporting.storage import Store

HEAD = "ods_code,activity_date,point_of_delivery,status,cancelled_count\n"


def put(path: Path, count: int, age: float) -> None:
    path.write_text(f"{HEAD}RHU,2023-04-11,day_case,cancelled,{count}\n")
    os.utime(path, (time.time() - age,) * 2)


def landed(store: Store, feed: Feed, out: Path) -> None:
    """Have every file of a feed landed and remembered."""
    found, known, moment = [], [], "2023-04-12T09:00:00+00:00"
    with closing(open_transport(feed.transport, feed.connection)) as transport:
        for number, file in enumerate(transport.list(feed.location), start=1):
            data = (out / file.name).read_bytes()
            sha = hashlib.sha256(data).hexdigest()
            identity, place = submission_id(feed.id, sha), Path(store.path(object_key(sha)))
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
            facts = {"feed_id": feed.id, "source_name": file.name, "received_at": moment, "size": len(data)}
            found.append(
                Receipt.model_validate({"submission_id": identity, "sequence": number, "sha256": sha, **facts})
            )
            known.append(Remote(file.key, file.name, LANDED, file.size, file.modified, moment, identity, sha))
    with ledger_of(store).engine.begin() as connection:
        restore(connection, found)
        remember(connection, feed.id, Change(tuple(known)))


def main(files: int) -> None:
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a folder of our own is made in it
    with tempfile.TemporaryDirectory(prefix="strikes-old-", dir=memory) as root:
        work, said = Path(root), [0]
        work.chmod(0o755)
        out = work / "out"
        out.mkdir()
        for n in range(files):
            put(out / f"return-{n:06}.csv", n, 1e7 - n)
        (host, host_public), (user, user_public) = ssh_key(), ssh_key()
        ssh, web = free_port(), free_port()
        ca, certificate, key = authority(work / "ca")
        reached = {"host": "127.0.0.1", "login": "root", "conn_type": "sftp"}
        secure = {"host_key": host_public, "private_key": user}
        os.environ["AIRFLOW_CONN_SSH"] = json.dumps({**reached, "port": ssh, "extra": secure})
        os.environ["AIRFLOW_CONN_WEB"] = json.dumps({**reached, "port": web, "extra": {"ca": str(ca)}})
        base = {"trust": "RHU", "extract": "cancellations", "contact": "a@b.example"}
        ways = {
            "folder": Feed.model_validate({**base, "location": f"{out}/*.csv"}),
            "sftp": Feed.model_validate({**base, "transport": "sftp", "connection": "ssh", "location": f"{out}/*.csv"}),
            "https": Feed.model_validate({**base, "transport": "https", "connection": "web", "location": "out/"}),
        }
        listed = f"location /out/ {{ alias {out}/; autoindex on; autoindex_format json; }}"
        with sshd(work / "sshd", host, user_public, ssh), nginx(work / "nginx", certificate, key, web, listed):
            for name, feed in ways.items():
                os.environ["STRIKES_HOME"] = str(work / name)
                store = Store()
                landed(store, feed, out)
                sa.event.listen(ledger_of(store).engine, "before_cursor_execute", lambda *_: said.append(0))
                collect(store, "warm", [feed])
                for turn in ("nothing new", "one new file"):
                    if turn == "one new file":
                        put(out / "new.csv", len(said) + files, 60)
                    said.clear()
                    processor, clock = time.process_time(), time.monotonic()
                    [pulled] = collect(store, turn, [feed])
                    took = f"{time.process_time() - processor:6.2f} s of processor {time.monotonic() - clock:6.2f} s"
                    print(f"{name:8}{turn:14}{took}  {len(said)} statements  {pulled.reason}", flush=True)
                (out / "new.csv").unlink()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000)
