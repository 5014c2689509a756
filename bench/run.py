#!/usr/bin/env python3
"""Measures what a hop costs: direct, HAProxy, MySQL Router and Vitrail in one run, in turn.

Prints a table of queries per second with their ratio to HAProxy in TCP mode, and the proxy's CPU time per query. Absolute numbers belong
to the machine; only ratios within a run mean anything. The same numbers go to bench/results.json.
"""

import argparse
import configparser
import json
import os
import re
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mysql_client

ROOT = Path(__file__).resolve().parent.parent
TICKS = os.sysconf("SC_CLK_TCK")
ROWS = 10_000
SINGLE_SHARD = {"oltp_point_select", "oltp_update_index", "oltp_update_non_index"}


def log(text):
    print(text, file=sys.stderr, flush=True)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for_port(port, seconds=30):
    deadline = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise SystemExit(f"nothing listens on port {port}")
            time.sleep(0.05)


def descendants(pid):
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += descendants(int(child))
    return found


def cpu_seconds(pids):
    """User plus system time of processes."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def rss_bytes(pid):
    return int(re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())[1]) * 1024


class Target:
    """One way to reach the database."""

    def __init__(self, name, port, user, password, database, pids):
        self.name, self.port, self.user, self.password = name, port, user, password
        self.database, self.pids = database, pids

    def sysbench(self, *arguments):
        command = ["sysbench", *arguments, "--db-driver=mysql", "--mysql-host=127.0.0.1", f"--mysql-port={self.port}",
                   f"--mysql-user={self.user}", f"--mysql-password={self.password}", f"--mysql-db={self.database}",
                   "--tables=1", f"--table-size={ROWS}", "--auto_inc=off", "--mysql-ssl=off"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"sysbench on {self.name} failed:\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def measure(self, workload, mode, threads, seconds):
        before = cpu_seconds(self.pids)
        out = self.sysbench(workload, f"--threads={threads}", f"--time={seconds}", f"--db-ps-mode={mode}", "--rand-type=uniform", "run")
        cpu = cpu_seconds(self.pids) - before
        queries = int(re.search(r"queries:\s+(\d+)", out)[1])
        errors = int(re.search(r"ignored errors:\s+(\d+)", out)[1])
        rate = float(re.search(r"queries:\s+\d+\s+\(([\d.]+) per sec", out)[1])
        return {"qps": rate, "cpu_us": cpu / max(queries, 1) * 1e6, "errors": errors}


class Both:
    """Two mysqld at once, each with half of the threads: what one query costs when two servers share the machine."""

    def __init__(self, name, halves):
        self.name, self.halves, self.database = name, halves, halves[0].database

    def measure(self, workload, mode, threads, seconds):
        if threads < len(self.halves):
            return self.halves[0].measure(workload, mode, threads, seconds)
        with ThreadPoolExecutor() as pool:
            share = threads // len(self.halves)
            parts = list(pool.map(lambda half: half.measure(workload, mode, share, seconds), self.halves))
        return {"qps": sum(part["qps"] for part in parts), "cpu_us": 0, "errors": sum(part["errors"] for part in parts)}


def start_haproxy(folder, backend_port):
    port = free_port()
    config = folder / "haproxy.cfg"
    config.write_text(f"""global
    maxconn 4000
defaults
    mode tcp
    timeout connect 5s
    timeout client 1h
    timeout server 1h
listen mysql
    bind 127.0.0.1:{port}
    server mysql 127.0.0.1:{backend_port}
""")
    process = subprocess.Popen(["haproxy", "-db", "-q", "-f", str(config)], preexec_fn=die_with_parent)
    wait_for_port(port)
    return port, process


def start_router(folder, backend_port, binary):
    """MySQL Router with connection sharing, with the certificate that mysqld has made for itself."""
    port = free_port()
    certificate = next(folder.glob("cluster/**/server-cert.pem"))
    plugins = Path(binary).resolve().parent.parent / "usr/lib/mysqlrouter/plugin"
    plugin_folder = f"plugin_folder={plugins}" if plugins.is_dir() else ""
    config = folder / "router.conf"
    config.write_text(f"""[DEFAULT]
logging_folder={folder}
runtime_folder={folder}
data_folder={folder}
{plugin_folder}
[logger]
level=warning
[routing:sharing]
bind_address=127.0.0.1
bind_port={port}
protocol=classic
routing_strategy=first-available
destinations=127.0.0.1:{backend_port}
client_ssl_mode=PREFERRED
client_ssl_cert={certificate}
client_ssl_key={certificate.with_name("server-key.pem")}
server_ssl_mode=AS_CLIENT
connection_sharing=1
max_connections=5000
[connection_pool]
max_idle_server_connections=64
""")
    process = subprocess.Popen([binary, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=die_with_parent)
    wait_for_port(port)
    return port, process


def die_with_parent():
    import ctypes
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def idle_connections(target, gateway_pid, count):
    """RSS that each of `count` idle client connections costs the gateway."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (20_000, max(20_000, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
    held = [mysql_client.connect("127.0.0.1", target.port, target.user, target.password) for _ in range(50)]
    before = rss_bytes(gateway_pid)
    for _ in range(count):
        held.append(mysql_client.connect("127.0.0.1", target.port, target.user, target.password))
    after = rss_bytes(gateway_pid)
    for sock in held:
        sock.close()
    return (after - before) / count


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=2, help="length of one measurement")
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each kind, in turn; their median counts")
    parser.add_argument("--threads", default="1,8,64")
    parser.add_argument("--workloads", default="oltp_point_select,oltp_read_write")
    parser.add_argument("--modes", default="disable,auto", help="sysbench's --db-ps-mode: disable is text, auto is prepared")
    parser.add_argument("--idle", type=int, default=15_000, help="idle client connections to open; 0 for none")
    parser.add_argument("--router", help="path of mysqlrouter, when there is one")
    parser.add_argument("--bin", default=str(ROOT / "target/release"), help="folder of vitrail, vtgate and tablet-agent")
    args = parser.parse_args()
    for tool in ("sysbench", "haproxy"):
        if not shutil.which(tool):
            raise SystemExit(f"{tool} is missing")

    with tempfile.TemporaryDirectory(prefix="vitrail-bench-") as folder:
        folder = Path(folder)
        cluster = folder / "cluster"
        port = free_port()
        vitrail = [f"{args.bin}/vitrail", "local"]
        processes = []
        log("starting the cluster")
        subprocess.run([*vitrail, "up", "-f", str(ROOT / "bench/manifest.yaml"), "--dir", str(cluster), "--port", str(port), "--detach"],
                       check=True, stdout=sys.stderr)
        try:
            status = json.loads(subprocess.run([*vitrail, "status", "--dir", str(cluster), "-o", "json"], check=True,
                                               capture_output=True, text=True).stdout)
            results = run(args, folder, cluster, port, status, processes)
        finally:
            for process in processes:
                process.terminate()
            subprocess.run([*vitrail, "down", "--dir", str(cluster), "--delete-data"], stdout=subprocess.DEVNULL)
    (ROOT / "bench/results.json").write_text(json.dumps(results, indent=1) + "\n")


def gateway_pid(port):
    out = subprocess.run(["pgrep", "-f", f"vtgate.*127.0.0.1:{port}"], capture_output=True, text=True).stdout.split()
    if not out:
        raise SystemExit("the gateway's process was not found")
    return int(out[0])


def run(args, folder, cluster, port, status, processes):
    account = configparser.ConfigParser(allow_no_value=True)
    account.read(cluster / "my.cnf")
    user, password = account["client"]["user"], account["client"]["password"].strip('"')
    secrets = json.loads((cluster / "secrets.json").read_text())
    ports = {}
    for tablet in flatten(status):
        ports.setdefault(tablet["keyspace"], []).append(int(tablet["mysqlAddress"].rpartition(":")[2]))
    mysql_port = ports["plain"][0]
    gateway = gateway_pid(port)

    haproxy_port, haproxy = start_haproxy(folder, mysql_port)
    processes.append(haproxy)
    direct = Target("direct", mysql_port, "vitrail_app", secrets["app"], "plain", [])
    both = Both("direct, 2 mysqld", [Target("direct", p, "vitrail_app", secrets["app"], "sharded", []) for p in ports["sharded"]])
    targets = [direct, both, Target("haproxy", haproxy_port, "vitrail_app", secrets["app"], "plain", descendants(haproxy.pid))]
    if args.router:
        router_port, router = start_router(folder, mysql_port, args.router)
        processes.append(router)
        targets.append(Target("mysql-router", router_port, "vitrail_app", secrets["app"], "plain", descendants(router.pid)))
    targets.append(Target("vitrail unsharded", port, user, password, "plain", [gateway]))
    targets.append(Target("vitrail 2 shards", port, user, password, "sharded", [gateway]))

    log("loading")
    targets[-2].sysbench("oltp_read_write", "prepare")
    targets[-1].sysbench("oltp_read_write", "prepare")

    results = {"rows": ROWS, "seconds": args.seconds, "rounds": args.rounds, "measurements": []}
    for workload in args.workloads.split(","):
        # Transactions that write to several shards are refused until their commits are atomic.
        fit = [target for target in targets if workload in SINGLE_SHARD or target.database != "sharded"]
        for mode in args.modes.split(","):
            for threads in map(int, args.threads.split(",")):
                samples = {target.name: [] for target in fit}
                for _ in range(args.rounds):
                    for target in fit:
                        samples[target.name].append(target.measure(workload, mode, threads, args.seconds))
                measurement = {"workload": workload, "mode": "text" if mode == "disable" else "prepared", "threads": threads, "targets": {}}
                for name, taken in samples.items():
                    measurement["targets"][name] = {key: statistics.median(s[key] for s in taken) for key in ("qps", "cpu_us", "errors")}
                results["measurements"].append(measurement)
                print_measurement(measurement)
    if args.idle:
        bytes_each = idle_connections(targets[-2], gateway, args.idle)
        results["idle"] = {"connections": args.idle, "bytes_each": bytes_each}
        print(f"\n{args.idle} idle client connections: {bytes_each / 1024:.1f} KB each (RSS)")
    return results


def flatten(status):
    for keyspace in status["keyspaces"]:
        for shard in keyspace["shards"]:
            for tablet in shard["tablets"]:
                yield {**tablet, "keyspace": keyspace["name"], "shard": shard["name"]}


def print_measurement(m):
    base = m["targets"]["haproxy"]
    print(f"\n{m['workload']}, {m['mode']}, {m['threads']} threads")
    print(f"  {'':20} {'QPS':>10} {'x HAProxy':>10} {'proxy CPU us/query':>20} {'x HAProxy':>10} {'errors':>7}")
    for name, t in m["targets"].items():
        cpu = f"{t['cpu_us']:20.1f} {t['cpu_us'] / base['cpu_us'] if base['cpu_us'] else 0:10.2f}" if not name.startswith("direct") else f"{'-':>20} {'-':>10}"
        print(f"  {name:20} {t['qps']:10.0f} {t['qps'] / base['qps']:10.2f} {cpu} {t['errors']:7.0f}", flush=True)


if __name__ == "__main__":
    main()
