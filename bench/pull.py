"""200 feeds over SFTP and HTTPS in one round, side by side and one after another: `make bench-pull` (as root).

The servers are the real ones, on loopback with no delay added: what is measured is the
cost of connecting, logging in, listing and fetching, not a wide-area network.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "integration"))
from servers import authority, free_port, nginx, ssh_key, sshd
from strike_reporting.intake import collecting
from strike_reporting.intake.registry import Feed
from strike_reporting.reference.organisations import organisations
from strike_reporting.settings import settings
from strike_reporting.storage import Store

ROWS = "".join(f"{{code}},2023-04-11,day_case,cancelled,{n}\n" for n in range(300))
HEAD = "ods_code,activity_date,point_of_delivery,status,cancelled_count\n"


def connections(ports: set[int]) -> int:
    """Established connections to the servers, from the kernel's table."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    remote = [line.split()[2].rsplit(":", 1)[1] for line in lines if line.split()[3] == "01"]
    return sum(int(p, 16) in ports for p in remote)


def main() -> None:
    from datetime import date

    codes = [t.ods_code for t in organisations().trusts(date(2026, 11, 1))][:200]
    with tempfile.TemporaryDirectory(prefix="strikes-pull-") as root:
        work = Path(root)
        work.chmod(0o755)
        (host, host_public), (user, user_public) = ssh_key(), ssh_key()
        ssh, web = free_port(), free_port()
        ca, certificate, key = authority(work / "ca")
        feeds = []
        for n, code in enumerate(codes):
            folder = work / "out" / code
            folder.mkdir(parents=True)
            (folder / "a.csv").write_text(HEAD + ROWS.replace("{code}", code))
            secure = {"host_key": host_public, "private_key": user, "settle": 0.2}
            server = {"conn_type": "sftp", "host": "127.0.0.1", "port": ssh, "login": "root", "extra": secure}
            if n % 2:
                server = {"conn_type": "http", "host": "127.0.0.1", "port": web, "extra": {"ca": str(ca)}}
            os.environ[f"AIRFLOW_CONN_T_{code}"] = json.dumps(server)
            feeds.append(
                Feed(
                    trust=code,
                    extract="cancellations",
                    transport="https" if n % 2 else "sftp",
                    connection=f"t_{code.lower()}",
                    location=f"out/{code}/" if n % 2 else f"{folder}/*.csv",
                    contact="a@b.example",
                )
            )
        files = f"location /out/ {{ alias {work}/out/; autoindex on; autoindex_format json; }}"
        with sshd(work / "sshd", host, user_public, ssh), nginx(work / "nginx", certificate, key, web, files):
            collecting.collect(Store(work / "warm"), "warm", feeds[:2])
            for name, at_once in (("side by side", settings().pulls_at_once), ("one after another", 1)):
                os.environ["STRIKES_PULLS_AT_ONCE"] = str(at_once)
                settings.cache_clear()
                seen, stop = [0], threading.Event()

                def watch(seen: list[int] = seen, stop: threading.Event = stop) -> None:
                    while not stop.wait(0.02):
                        seen[0] = max(seen[0], connections({ssh, web}))

                watcher = threading.Thread(target=watch)
                watcher.start()
                start = time.monotonic()
                pulled = collecting.collect(Store(work / name), "round", feeds)
                seconds = time.monotonic() - start
                stop.set()
                watcher.join()
                landed = sum(p.status == "landed" for p in pulled)
                peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
                print(f"{name:20}{seconds:8.1f} s  {landed} of {len(feeds)} landed  "
                      f"{seen[0]} connections at most  {peak:.0f} MB peak so far", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
