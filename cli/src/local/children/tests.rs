#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;

fn spec(name: &str, script: &str) -> ChildSpec {
    ChildSpec {
        name: name.into(),
        program: "/bin/sh".into(),
        args: vec!["-c".into(), script.into()],
    }
}

async fn cluster() -> (
    tempfile::TempDir,
    Children,
    tokio::sync::mpsc::UnboundedReceiver<String>,
) {
    let temp = tempfile::tempdir().unwrap();
    let dir = ClusterDir::create(temp.path()).unwrap();
    let (events, received) = tokio::sync::mpsc::unbounded_channel();
    let children = Children::new(&dir, events);
    (temp, children, received)
}

#[test]
fn start_time_is_read_behind_a_strange_name() {
    let stat = "7 (a) b) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987 1000 2";
    assert_eq!(start_ticks_in(stat), Some(987));
    assert_eq!(start_ticks_in("7 (x) S"), None);
    assert!(start_ticks(i32::try_from(std::process::id()).unwrap()).is_some());
}

#[tokio::test(flavor = "current_thread")]
async fn a_failed_child_is_started_again_and_stops_when_told() {
    let (temp, mut children, mut events) = cluster().await;
    let count = temp.path().join("count");
    let script = format!(
        "echo x >>{0}; [ $(wc -l <{0}) -ge 2 ] && exec sleep 600; exit 3",
        count.display()
    );
    tokio::task::LocalSet::new()
        .run_until(async {
            children.start(spec("child", &script)).unwrap();
            let event = events.recv().await.unwrap();
            assert!(event.contains("child ended (exit status: 3)"), "{event}");
            // The second run is the one that stays.
            while fs::read_to_string(&count).unwrap_or_default().lines().count() < 2 {
                tokio::task::yield_now().await;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            children.stop(Duration::from_secs(20), |_| true).await;
        })
        .await;
    let remembered: BTreeMap<String, Remembered> =
        serde_json::from_slice(&fs::read(temp.path().join("processes.json")).unwrap()).unwrap();
    assert_eq!(start_ticks(remembered.get("child").unwrap().pid), None);
}

#[tokio::test(flavor = "current_thread")]
async fn a_child_that_does_not_stop_is_killed() {
    let (temp, mut children, mut events) = cluster().await;
    let ready = temp.path().join("ready");
    tokio::task::LocalSet::new()
        .run_until(async {
            let script = format!(
                "trap '' TERM; touch {}; while :; do sleep 1; done",
                ready.display()
            );
            children.start(spec("stubborn", &script)).unwrap();
            while !ready.exists() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            children.stop(Duration::from_millis(50), |_| true).await;
            assert!(events.recv().await.unwrap().contains("did not stop"));
        })
        .await;
}

#[test]
fn survivors_of_an_earlier_run_are_killed() {
    let temp = tempfile::tempdir().unwrap();
    let dir = ClusterDir::create(temp.path()).unwrap();
    let mut survivor = std::process::Command::new("sleep").arg("600").spawn().unwrap();
    let pid = i32::try_from(survivor.id()).unwrap();
    let other = Remembered {
        pid: 1,
        start_ticks: u64::MAX,
    };
    let ours = Remembered {
        pid,
        start_ticks: start_ticks(pid).unwrap(),
    };
    let remembered = BTreeMap::from([("ours".to_owned(), ours), ("reused pid".to_owned(), other)]);
    write_private(&dir.processes(), &serde_json::to_vec(&remembered).unwrap()).unwrap();
    kill_survivors(&dir);
    assert!(!survivor.wait().unwrap().success());
}
