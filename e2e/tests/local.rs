//! `vitrail local`: up, status, down, and what happens when it is killed.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use e2e::bound::await_gone;
use e2e::cluster::{Cluster, manifest};
use e2e::tools;
use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use nix::sys::signal::Signal;

/// Ids of all processes of a cluster: their command lines or files name its directory or what is started for it.
fn processes(cluster: &Cluster) -> BTreeSet<u32> {
    let text = std::fs::read_to_string(cluster.data().join("processes.json")).unwrap();
    let started: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut found: BTreeSet<u32> = started
        .as_object()
        .unwrap()
        .values()
        .filter_map(|process| process["pid"].as_u64())
        .map(|pid| pid as u32)
        .collect();
    found.extend(cluster.pid());
    // Their children, too: agents and mysqlds.
    loop {
        let mut grown = found.clone();
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let Some(pid) = entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse::<u32>().ok())
            else {
                continue;
            };
            let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
            let parent = stat
                .rsplit_once(") ")
                .and_then(|(_, rest)| rest.split(' ').nth(1)?.parse::<u32>().ok());
            if parent.is_some_and(|parent| found.contains(&parent)) {
                grown.insert(pid);
            }
        }
        if grown == found {
            return found;
        }
        found = grown;
    }
}

fn await_all_gone(pids: &BTreeSet<u32>) {
    for pid in pids {
        await_gone(*pid, Duration::from_secs(20)).unwrap();
    }
}

async fn sum(cluster: &Cluster, keyspace: &str) -> (i64, i64) {
    let mut conn = cluster.connect(Some(keyspace)).await.unwrap();
    let found = conn
        .query_first("SELECT COUNT(*), SUM(v) FROM t")
        .await
        .unwrap()
        .unwrap();
    conn.disconnect().await.unwrap();
    found
}

async fn insert(cluster: &Cluster, keyspace: &str, ids: std::ops::Range<i32>) {
    let mut conn = cluster.connect(Some(keyspace)).await.unwrap();
    for id in ids {
        conn.query_drop(format!("INSERT INTO t VALUES ({id}, {id})"))
            .await
            .unwrap();
    }
    conn.disconnect().await.unwrap();
}

#[tokio::test]
async fn a_cluster_comes_up_shows_itself_and_stops() {
    let mut cluster = Cluster::start(&manifest("local")).unwrap();
    for file in ["my.cnf", "secrets.json"] {
        let mode = std::fs::metadata(cluster.data().join(file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    let mysql = tools::assignment("mysql", &[], "MYSQL").unwrap();
    let defaults = format!("--defaults-file={}", cluster.data().join("my.cnf").display());
    let output = Command::new(&mysql)
        .args([&defaults, "-N", "-e", "SELECT 6 * 7"])
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "42\n",
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );

    // Nobody gets in without a password.
    let port = cluster.port.to_string();
    for user in ["vitrail", "root", "", "vitrail_app"] {
        let refused = Command::new(&mysql)
            .args([
                "--no-defaults",
                "-h127.0.0.1",
                "--protocol=TCP",
                "-P",
                &port,
                "-u",
                user,
                "--password=",
                "-e",
                "SELECT 1",
            ])
            .output()
            .unwrap();
        assert!(
            String::from_utf8_lossy(&refused.stderr).contains("ERROR 1045 (28000)"),
            "{user}: {refused:?}"
        );
    }

    let status = cluster.status().unwrap();
    assert_eq!(status["gatewayReady"], true, "{status:#}");
    let shards: Vec<(String, String, String, usize)> = status["keyspaces"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|keyspace| {
            let name = keyspace["name"].as_str().unwrap().to_owned();
            keyspace["shards"].as_array().unwrap().iter().map(move |shard| {
                let text = |field: &str| shard[field].as_str().unwrap().to_owned();
                (
                    name.clone(),
                    text("name"),
                    text("semiSync"),
                    shard["tablets"].as_array().unwrap().len(),
                )
            })
        })
        .collect();
    let row = |keyspace: &str, shard: &str, semi_sync: &str, tablets| {
        (
            keyspace.to_owned(),
            shard.to_owned(),
            semi_sync.to_owned(),
            tablets,
        )
    };
    assert_eq!(
        shards,
        [
            row("safe", "-", "on (1 of 2 must acknowledge)", 3),
            row("single", "-80", "no semi-sync (1 member)", 1),
            row("single", "80-", "no semi-sync (1 member)", 1),
        ]
    );
    let table = cluster.local("status", &[]).unwrap();
    let table = String::from_utf8_lossy(&table.stdout).into_owned();
    assert!(table.starts_with("KEYSPACE   SHARD"), "{table}");
    for output in ["yaml", "wide"] {
        assert!(
            cluster.local("status", &["-o", output]).unwrap().status.success(),
            "{output}"
        );
    }

    // A second `up` says that there is one, and that is no error.
    let again = cluster.local("up", &["--port", &port]).unwrap();
    let text = String::from_utf8_lossy(&again.stdout).into_owned();
    assert!(
        again.status.success() && text.contains("runs in") && text.contains("mysql --defaults-file="),
        "{again:?}"
    );

    insert(&cluster, "safe", 0..10).await;
    insert(&cluster, "single", 0..10).await;
    let pids = processes(&cluster);
    assert!(pids.len() > 12, "{pids:?}");
    let down = cluster.local("down", &[]).unwrap();
    assert!(down.status.success(), "{down:?}");
    await_all_gone(&pids);
    let status = cluster.local("status", &[]).unwrap();
    assert!(
        !status.status.success() && String::from_utf8_lossy(&status.stderr).contains("no cluster runs in"),
        "{status:?}"
    );

    // The data is there again, and Ctrl-C stops it as well.
    cluster.up(&[]).unwrap();
    assert_eq!(sum(&cluster, "safe").await, (10, 45));
    assert_eq!(sum(&cluster, "single").await, (10, 45));
    let pids = processes(&cluster);
    cluster.signal(Signal::SIGINT).unwrap();
    await_all_gone(&pids);

    let deleted = cluster.local("down", &["--delete-data"]).unwrap();
    assert!(deleted.status.success(), "{deleted:?}");
    assert!(!cluster.data().exists());
}

#[tokio::test]
async fn a_killed_up_leaves_nothing_and_the_next_one_has_the_data() {
    let mut cluster = Cluster::start(&manifest("local")).unwrap();
    for round in 0..3 {
        insert(&cluster, "safe", round * 10..(round + 1) * 10).await;
        insert(&cluster, "single", round * 10..(round + 1) * 10).await;
        let pids = processes(&cluster);
        cluster.kill().unwrap();
        await_all_gone(&pids);
        cluster.up(&[]).unwrap();
        let rows = i64::from((round + 1) * 10);
        assert_eq!(sum(&cluster, "safe").await, (rows, rows * (rows - 1) / 2));
        assert_eq!(sum(&cluster, "single").await, (rows, rows * (rows - 1) / 2));
    }
}

#[tokio::test]
async fn a_cluster_killed_while_it_comes_up_recovers() {
    let mut cluster = Cluster::prepare().unwrap();
    for ms in [50, 300, 1000, 3000, 6000] {
        let mut child = Command::new(tools::program("vitrail").unwrap())
            .args(["local", "up", "--port", &cluster.port.to_string(), "-f"])
            .arg(manifest("local"))
            .arg("--dir")
            .arg(cluster.data())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // The moment of the kill is what varies: there is no condition to wait for.
        std::thread::sleep(Duration::from_millis(ms));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    cluster
        .up(&["-f", &manifest("local").display().to_string()])
        .unwrap();
    insert(&cluster, "safe", 0..10).await;
    assert_eq!(sum(&cluster, "safe").await, (10, 45));
}

#[tokio::test]
async fn a_detached_cluster_stays_until_down() {
    let cluster = Cluster::prepare().unwrap();
    let port = cluster.port.to_string();
    let file = manifest("local").display().to_string();
    let up = cluster
        .local("up", &["-f", &file, "--port", &port, "--detach"])
        .unwrap();
    let text = String::from_utf8_lossy(&up.stdout).into_owned();
    assert!(up.status.success(), "{up:?}");
    assert!(
        text.trim_end()
            .lines()
            .last()
            .unwrap()
            .starts_with("mysql --defaults-file="),
        "{text}"
    );
    insert(&cluster, "safe", 0..10).await;

    // A manifest with other shards or members is refused while it runs and when it does not.
    let text = std::fs::read_to_string(manifest("local")).unwrap();
    let changed = cluster.data().with_file_name("changed.yaml");
    std::fs::write(&changed, text.replace("members: 3", "members: 2")).unwrap();
    let changed = changed.display().to_string();
    let refused = cluster
        .local("up", &["-f", &changed, "--port", &port, "--detach"])
        .unwrap();
    assert!(!refused.status.success(), "{refused:?}");
    let pids = processes(&cluster);
    assert!(cluster.local("down", &[]).unwrap().status.success());
    await_all_gone(&pids);
    let refused = cluster
        .local("up", &["-f", &changed, "--port", &port, "--detach"])
        .unwrap();
    let error = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success()
            && error.contains("keyspace safe has 3 members per shard, the manifest says 2"),
        "{refused:?}"
    );

    // A new keyspace is added; without -f everything that there was comes up.
    let more = cluster.data().with_file_name("more.yaml");
    std::fs::write(
        &more,
        "apiVersion: vitrail.io/v1alpha1\nkind: Keyspace\nmetadata: {name: more}\nspec: {shards: 1, members: 1}\n",
    )
    .unwrap();
    let up = cluster
        .local(
            "up",
            &["-f", &more.display().to_string(), "--port", &port, "--detach"],
        )
        .unwrap();
    assert!(up.status.success(), "{up:?}");
    assert_eq!(sum(&cluster, "safe").await, (10, 45));
    let mut conn: Conn = cluster.connect(Some("more")).await.unwrap();
    conn.query_drop("CREATE TABLE fresh (id INT PRIMARY KEY)")
        .await
        .unwrap();
    conn.disconnect().await.unwrap();
    assert!(
        cluster
            .local("down", &["--delete-data"])
            .unwrap()
            .status
            .success()
    );
}

#[tokio::test]
async fn wrong_manifests_and_ports_are_named() {
    let cluster = Cluster::prepare().unwrap();
    std::fs::create_dir_all(cluster.data()).unwrap();
    let wrong = cluster.data().join("wrong.yaml");
    std::fs::write(
        &wrong,
        "apiVersion: vitrail.io/v1alpha1\nkind: Keyspace\nmetadata: {name: a}\nspec: {shards: two}\n",
    )
    .unwrap();
    let refused = cluster
        .local("up", &["-f", &wrong.display().to_string()])
        .unwrap();
    let error = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success() && error.contains("wrong.yaml") && error.contains("spec.shards"),
        "{error}"
    );
    let refused = cluster.local("up", &["-f", "/nonexistent.yaml"]).unwrap();
    assert!(
        String::from_utf8_lossy(&refused.stderr).contains("/nonexistent.yaml"),
        "{refused:?}"
    );

    let taken = std::net::TcpListener::bind(("127.0.0.1", cluster.port)).unwrap();
    let refused = cluster
        .local("up", &["--port", &cluster.port.to_string()])
        .unwrap();
    let error = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success() && error.contains("choose another port with --port"),
        "{error}"
    );
    drop(taken);
    assert!(cluster.local("down", &[]).unwrap().status.success());
}

#[tokio::test]
async fn a_directory_as_deep_as_may_be_works() {
    let cluster = Cluster::prepare().unwrap();
    let deep = cluster.data().join("d".repeat(60)).join("e".repeat(60));
    std::fs::create_dir_all(&deep).unwrap();
    let single = deep.join("one.yaml");
    std::fs::write(&single, "apiVersion: vitrail.io/v1alpha1\nkind: Keyspace\nmetadata: {name: one}\nspec: {shards: 1, members: 1}\n").unwrap();
    let vitrail = tools::program("vitrail").unwrap();
    let run = |args: &[&str]| {
        Command::new(&vitrail)
            .args(args)
            .current_dir(&deep)
            .output()
            .unwrap()
    };
    let port = cluster.port.to_string();
    let up = run(&[
        "local", "up", "--dir", "v", "-f", "one.yaml", "--port", &port, "--detach",
    ]);
    assert!(up.status.success(), "{up:?}");
    assert!(
        String::from_utf8_lossy(&up.stdout).contains("mysql --defaults-file=v/my.cnf"),
        "{up:?}"
    );
    let status = run(&["local", "status", "--dir", "v"]);
    assert!(status.status.success(), "{status:?}");
    let down = run(&["local", "down", "--dir", "v", "--delete-data"]);
    assert!(down.status.success(), "{down:?}");
}
