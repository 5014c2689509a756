//! A leader and the follower that acknowledges what it commits.

use binlog::gtid::GtidSet;
use mysql_async::prelude::Queryable as _;
use tablet_agent::mysqld::datadir;
use tablet_agent::rejoin::rewind::Cut;
use tablet_agent::rejoin::{Rewind, rewind};

use crate::support::{Member, prepare};

pub(crate) struct Pair {
    pub(crate) leader: Member,
    pub(crate) follower: Member,
    /// Goes after the servers.
    pub(crate) dir: tempfile::TempDir,
}

impl Pair {
    pub(crate) async fn new() -> Pair {
        let dir = tempfile::Builder::new().prefix("vr").tempdir_in("/tmp").unwrap();
        prepare(dir.path());
        let mut pair = Pair {
            leader: Member::new(dir.path(), "a", 1),
            follower: Member::new(dir.path(), "b", 2),
            dir,
        };
        pair.leader.start().await;
        pair.follower.start().await;
        pair.leader.lead().await;
        pair.follower.follow(&pair.leader).await;
        pair
    }

    /// Takes the acker away, and says what it has.
    pub(crate) async fn isolate(&self) -> GtidSet {
        self.same().await;
        self.follower.run(&["STOP REPLICA IO_THREAD"]).await;
        self.follower.executed().await
    }

    /// Runs each script on a connection of its own; the last statement of each gets no answer.
    pub(crate) async fn hang(&self, scripts: &[&[&str]]) {
        let mut connections = Vec::new();
        for _ in scripts {
            connections.push(self.leader.conn().await);
        }
        for (script, mut conn) in scripts.iter().zip(connections) {
            let (last, first) = script.split_last().unwrap();
            for statement in first {
                conn.query_drop(*statement).await.unwrap();
            }
            let last = (*last).to_owned();
            tokio::spawn(async move {
                let answer = conn.query_drop(&last).await;
                assert!(answer.is_err(), "{last} was answered");
            });
        }
    }

    /// A prepared branch that both have.
    pub(crate) async fn prepare_branch(&self, name: &str, id: u32) {
        self.leader
            .run(&[
                &format!("XA START '{name}'"),
                &format!("INSERT INTO d.t VALUES ({id}, 1)"),
                &format!("XA END '{name}'"),
                &format!("XA PREPARE '{name}'"),
            ])
            .await;
    }

    /// Rewinds the killed leader, which becomes another server.
    pub(crate) fn cut(&self, known: &GtidSet) -> Cut {
        let uuid = datadir::random_uuid();
        let Rewind::Cut(cut) = rewind(self.leader.data(), known, &uuid).unwrap() else {
            panic!("nothing was cut")
        };
        assert_eq!(datadir::uuid(self.leader.data()).unwrap(), Some(uuid.clone()));
        assert!(cut.bytes > 0 && self.leader.logged_beyond(known).is_empty());
        assert_eq!(
            rewind(self.leader.data(), known, "unused").unwrap(),
            Rewind::Nothing
        );
        assert_eq!(datadir::uuid(self.leader.data()).unwrap(), Some(uuid));
        cut
    }

    /// Starts the former leader with what is known elsewhere and nothing else, and lets the other lead it.
    pub(crate) async fn rejoin(&mut self, known: &GtidSet) {
        self.leader.start().await;
        assert_eq!(&self.leader.executed().await, known);
        self.swap().await;
    }

    /// The other leads, also the former leader.
    pub(crate) async fn swap(&mut self) {
        std::mem::swap(&mut self.leader, &mut self.follower);
        self.leader.lead().await;
        self.follower.follow(&self.leader).await;
        self.leader
            .run(&[
                "CREATE TABLE IF NOT EXISTS d.led (n INT AUTO_INCREMENT PRIMARY KEY)",
                "INSERT INTO d.led VALUES ()",
            ])
            .await;
        self.same().await;
    }

    /// Both have executed and hold the same.
    pub(crate) async fn same(&self) {
        self.follower.caught_up(&self.leader).await;
        assert_eq!(self.follower.executed().await, self.leader.executed().await);
        let (ours, theirs) = (self.leader.content().await, self.follower.content().await);
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert_eq!(ours, theirs, "{} and {}", self.leader.name, self.follower.name);
        }
        assert_eq!(ours.len(), theirs.len(), "{ours:?}\n{theirs:?}");
    }
}
