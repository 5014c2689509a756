//! The supervisor's ties to the processes around it, without a MySQL server.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A supervisor whose agent cannot work, since its mysqld is none; it keeps trying.
fn supervise(dir: &Path) -> String {
    let path = |name: &str| dir.join(name).display().to_string();
    std::fs::write(
        dir.join("secrets.json"),
        r#"{"agent": "12345678", "replication": "12345678", "app": "12345678"}"#,
    )
    .unwrap();
    format!(
        "{} supervise --alias c-1 --keyspace c --shard - --topology unix:{} --dir {} --secrets {} --mysqld /bin/false",
        env!("CARGO_BIN_EXE_tablet-agent"),
        path("topo.sock"),
        path("c-1"),
        path("secrets.json")
    )
}

/// Running processes that name this directory.
fn processes(dir: &Path) -> Vec<String> {
    let dir = dir.display().to_string();
    let mut out = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        if line.contains(&dir) && line.contains("tablet-agent") && !line.starts_with("sh ") {
            out.push(line);
        }
    }
    out
}

fn until(what: &str, condition: impl Fn() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(begin.elapsed() < Duration::from_secs(20), "not {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn nothing_outlives_the_parent() {
    let dir = tempfile::tempdir().unwrap();
    let script = format!("{} --die-with-parent=$$ & wait", supervise(dir.path()));
    let mut parent = Command::new("sh")
        .args(["-c", &script])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    until("supervisor and agent are up", || processes(dir.path()).len() == 2);
    parent.kill().unwrap();
    parent.wait().unwrap();
    until("all are gone", || processes(dir.path()).is_empty());
}

#[test]
fn a_parent_that_died_before_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let line = format!("{} --die-with-parent=1", supervise(dir.path()));
    let output = Command::new("sh").args(["-c", &line]).output().unwrap();
    assert!(!output.status.success());
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("parent process is gone"),
        "{output:?}"
    );
}

#[test]
fn a_tablets_directory_has_one_supervisor_and_it_stops_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let line = format!("exec {}", supervise(dir.path()));
    let mut first = Command::new("sh")
        .args(["-c", &line])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    until("supervisor and agent are up", || processes(dir.path()).len() == 2);
    let second = Command::new("sh").args(["-c", &line]).output().unwrap();
    assert!(
        String::from_utf8_lossy(&second.stderr).contains("in use by another"),
        "{second:?}"
    );
    let pid = nix::unistd::Pid::from_raw(i32::try_from(first.id()).unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
    assert_eq!(first.wait().unwrap().code(), Some(0));
    until("all are gone", || processes(dir.path()).is_empty());
}
