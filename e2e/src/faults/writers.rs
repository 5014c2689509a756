//! The clients that write through the gateway.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error, Opts};
use tokio::task::JoinSet;

use super::history::{CLIENTS, History, Outcome, Told};

/// Pause between two writes of one client: what is wanted is many clients at once, not much data.
const PACE: Duration = Duration::from_millis(10);
/// A client that gets no answer within this time goes away. Longer than any gateway holds a statement.
const PATIENCE: Duration = Duration::from_secs(60);
/// Rows of a transaction.
const ROWS: u64 = 3;

/// Writes that had been told of and yet were not executed: the gateway never sent them, or their transaction is gone.
const REFUSALS: [u16; 3] = [
    // No tablet serves, or not within the limits of holding.
    1105, // The transaction is lost.
    1053, // The pool stayed full.
    1040,
];

/// Clients that write until they are stopped.
#[derive(Debug)]
pub struct Writers {
    stop: Arc<AtomicBool>,
    tasks: JoinSet<()>,
}

impl Writers {
    /// Starts all clients.
    pub fn start(opts: &Opts, history: &Arc<History>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut tasks = JoinSet::new();
        for id in 0..CLIENTS {
            let client = Client {
                id,
                opts: opts.clone(),
                history: history.clone(),
                conn: None,
                written: 0,
            };
            tasks.spawn(client.run(stop.clone()));
        }
        Self { stop, tasks }
    }

    /// Lets each client finish its write.
    pub async fn stop(self) {
        self.stop.store(true, Ordering::SeqCst);
        self.tasks.join_all().await;
    }
}

struct Client {
    id: u32,
    opts: Opts,
    history: Arc<History>,
    conn: Option<Conn>,
    written: u64,
}

impl Client {
    async fn run(mut self, stop: Arc<AtomicBool>) {
        while !stop.load(Ordering::SeqCst) {
            if self.conn.is_none() {
                // A gateway that is just being started again refuses connections: no write, no attempt.
                self.conn = Conn::new(self.opts.clone()).await.ok();
            }
            if let Some(conn) = self.conn.take() {
                self.conn = self.write(conn).await;
            }
            tokio::time::sleep(PACE).await;
        }
        if let Some(conn) = self.conn {
            conn.disconnect().await.ok();
        }
    }

    /// One write; the connection comes back if it can be used again.
    async fn write(&mut self, mut conn: Conn) -> Option<Conn> {
        self.written += 1;
        let transaction = (self.written + u64::from(self.id)).is_multiple_of(4);
        let values = self.history.take(if transaction { ROWS } else { 1 });
        let sent = self.history.now();
        let writing = async {
            if transaction {
                write_several(&mut conn, self.id, values.clone()).await
            } else {
                let written =
                    write_one(&mut conn, self.id, values.start, self.written.is_multiple_of(2)).await;
                written.map_err(|error| last_outcome(&error))
            }
        };
        let outcome = match tokio::time::timeout(PATIENCE, writing).await {
            Ok(Ok(())) => Outcome::Acked,
            Ok(Err(outcome)) => outcome,
            Err(_) => Outcome::Unknown(Told::Silence),
        };
        self.history.record(self.id, values, sent, outcome);
        let usable = match outcome {
            Outcome::Acked => true,
            Outcome::Refused(told) | Outcome::Unknown(told) => matches!(told, Told::Code(_)),
        };
        // What is left of a transaction that failed must not take part in the next write.
        (usable && (!transaction || outcome == Outcome::Acked || conn.query_drop("ROLLBACK").await.is_ok()))
            .then_some(conn)
    }
}

/// A statement that is its own transaction, as text or prepared.
async fn write_one(conn: &mut Conn, id: u32, value: u64, prepared: bool) -> Result<(), Error> {
    if prepared {
        conn.exec_drop("INSERT INTO t (value, writer) VALUES (?, ?)", (value, id))
            .await
    } else {
        conn.query_drop(format!("INSERT INTO t (value, writer) VALUES ({value}, {id})"))
            .await
    }
}

/// A transaction of several rows. Whatever goes wrong before COMMIT is sent, nothing of it may ever be seen.
async fn write_several(conn: &mut Conn, id: u32, values: Range<u64>) -> Result<(), Outcome> {
    let before = |error: Error| Outcome::Refused(told(&error));
    conn.query_drop("BEGIN").await.map_err(before)?;
    for value in values {
        write_one(conn, id, value, false).await.map_err(before)?;
    }
    conn.query_drop("COMMIT")
        .await
        .map_err(|error| last_outcome(&error))
}

/// What an error says of the statement that could have made the write last.
fn last_outcome(error: &Error) -> Outcome {
    match told(error) {
        Told::Code(code) if REFUSALS.contains(&code) => Outcome::Refused(Told::Code(code)),
        told => Outcome::Unknown(told),
    }
}

fn told(error: &Error) -> Told {
    match error {
        Error::Server(error) => Told::Code(error.code),
        _ => Told::Gone,
    }
}
