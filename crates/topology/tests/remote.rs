//! What only a store in another process has: interruptions, secrets, and the process itself.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests fail by panicking"
)]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use topology::remote::RemoteOptions;
use topology::serve::{self, ServeError, ServeOptions};
use topology::server::{self, Listener, Secret};
use topology::{Address, Expected, MemoryStore, RemoteStore, Store, StoreError, WatchEvent};

struct Process {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), ServeError>>,
}

impl Process {
    async fn start(folder: &Path) -> Self {
        let options = ServeOptions {
            file: folder.join("topology"),
            listen: Address::Unix(folder.join("socket")),
            secret_file: None,
        };
        let (stop, stopped) = oneshot::channel();
        let (ready, is_ready) = oneshot::channel();
        let task = tokio::spawn(serve::run(options, move |_| ready.send(()).unwrap(), async {
            let _ = stopped.await;
        }));
        is_ready.await.unwrap();
        Self { stop, task }
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.task.await.unwrap().unwrap();
    }
}

fn client(folder: &Path) -> RemoteStore {
    RemoteStore::new(&Address::Unix(folder.join("socket")), RemoteOptions::default()).unwrap()
}

/// A store that came back empty is another one: who watches goes on with what it knows.
#[tokio::test]
async fn a_watch_does_not_believe_another_store() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path()).await;
    let store = client(folder.path());
    store.put("a/1", b"1".to_vec(), Expected::Any).await.unwrap();
    let mut watch = store.watch("a/");
    assert!(matches!(watch.next().await, Some(WatchEvent::Snapshot(_))));
    process.stop().await;
    let file = folder.path().join("topology");
    std::fs::rename(&file, folder.path().join("aside")).unwrap();
    let process = Process::start(folder.path()).await;
    let disbelief = loop {
        match watch.next().await.unwrap() {
            WatchEvent::Interrupted(error) if error.to_string().contains("not believed") => break error,
            WatchEvent::Interrupted(_) => {}
            event => panic!("{event:?}"),
        }
    };
    println!("{disbelief}");
    process.stop().await;
    std::fs::rename(folder.path().join("aside"), &file).unwrap();
    let process = Process::start(folder.path()).await;
    let again = loop {
        match watch.next().await.unwrap() {
            WatchEvent::Snapshot(listing) => break listing,
            WatchEvent::Interrupted(_) => {}
            event => panic!("{event:?}"),
        }
    };
    assert_eq!(again.entries.len(), 1);
    process.stop().await;
}

#[tokio::test]
async fn a_watch_survives_a_restart_of_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path()).await;
    let store = client(folder.path());
    store.put("a/1", b"1".to_vec(), Expected::Any).await.unwrap();
    let identity = store.info().await.unwrap().store_id;
    let mut watch = store.watch("a/");
    assert!(matches!(watch.next().await, Some(WatchEvent::Snapshot(_))));

    let started = Instant::now();
    process.stop().await;
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "an open watch delays the end"
    );
    assert!(matches!(watch.next().await, Some(WatchEvent::Interrupted(_))));
    let error = store.put("a/1", b"2".to_vec(), Expected::Any).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");

    let process = Process::start(folder.path()).await;
    let listing = loop {
        match watch.next().await.unwrap() {
            WatchEvent::Interrupted(_) => {}
            WatchEvent::Snapshot(listing) => break listing,
            event => panic!("{event:?}"),
        }
    };
    assert_eq!(&*listing.entries[0].value, b"1");
    let again = client(folder.path());
    assert_eq!(again.info().await.unwrap().store_id, identity);
    again.put("a/2", vec![], Expected::Absent).await.unwrap();
    assert!(matches!(watch.next().await, Some(WatchEvent::Put(entry)) if entry.key == "a/2"));
    process.stop().await;
}

#[tokio::test]
async fn one_process_owns_the_file_and_the_socket_is_private() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path()).await;
    for file in ["topology", "socket"] {
        let mode = std::fs::metadata(folder.path().join(file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    let second = ServeOptions {
        file: folder.path().join("topology"),
        listen: Address::Unix(folder.path().join("socket")),
        secret_file: None,
    };
    let error = serve::run(second, |_| (), std::future::pending())
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("another process uses this topology store"),
        "{error}"
    );
    client(folder.path())
        .put("still/there", vec![], Expected::Absent)
        .await
        .unwrap();
    process.stop().await;
}

#[tokio::test]
async fn tcp_takes_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    let listen: Address = "127.0.0.1:0".parse().unwrap();
    let options = ServeOptions {
        file: folder.path().join("topology"),
        listen: listen.clone(),
        secret_file: None,
    };
    let error = serve::run(options, |_| (), std::future::pending())
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "listening on 127.0.0.1:0 takes a secret file");

    let secret = Secret::new("0123456789abcdef");
    let listener = Listener::bind(&listen).await.unwrap();
    let address = listener.address().clone();
    tokio::spawn(server::serve(
        listener,
        Arc::new(MemoryStore::new()),
        secret.clone(),
        std::future::pending(),
    ));
    for wrong in [None, Secret::new("fedcba9876543210")] {
        let store = RemoteStore::new(
            &address,
            RemoteOptions {
                secret: wrong,
                ..RemoteOptions::default()
            },
        )
        .unwrap();
        let unauthenticated = |error: &StoreError| matches!(error, StoreError::Unauthenticated(_));
        assert!(store.get("k").await.is_err_and(|error| unauthenticated(&error)));
        assert!(
            store
                .put("k", vec![], Expected::Any)
                .await
                .is_err_and(|error| unauthenticated(&error))
        );
        let event = store.watch("").next().await;
        assert!(matches!(event, Some(WatchEvent::Interrupted(error)) if unauthenticated(&error)));
    }
    let store = RemoteStore::new(
        &address,
        RemoteOptions {
            secret,
            ..RemoteOptions::default()
        },
    )
    .unwrap();
    store.put("k", vec![], Expected::Absent).await.unwrap();
}

#[tokio::test]
async fn nobody_there_is_an_error_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let started = Instant::now();
    assert!(matches!(
        client(folder.path()).get("k").await,
        Err(StoreError::Unavailable(_))
    ));
    // A listener that accepts and never answers.
    let silent = tokio::net::UnixListener::bind(folder.path().join("socket")).unwrap();
    let options = RemoteOptions {
        try_timeout: Duration::from_millis(100),
        ..RemoteOptions::default()
    };
    let store = RemoteStore::new(&Address::Unix(folder.path().join("socket")), options).unwrap();
    assert!(matches!(store.get("k").await, Err(StoreError::Unavailable(_))));
    assert!(started.elapsed() < Duration::from_secs(5));
    drop(silent);
}

/// A watcher notices within seconds that the other side is gone without a word, and finds the next one.
#[tokio::test]
async fn a_silent_connection_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let silent = tokio::net::UnixListener::bind(folder.path().join("socket")).unwrap();
    let mut watch = client(folder.path()).watch("");
    assert!(matches!(watch.next().await, Some(WatchEvent::Interrupted(_))));
    drop(silent);
    let process = Process::start(folder.path()).await;
    while !matches!(watch.next().await, Some(WatchEvent::Snapshot(_))) {}
    drop(watch);
    process.stop().await;
}
