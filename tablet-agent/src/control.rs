//! Control connections to mysqld.
//!
//! A connection is kept for as long as it works: a login can hang behind an account statement that waits for its
//! acknowledgement (leadership.md, experiment 17), so a fresh login says nothing about whether mysqld lives.

use std::path::Path;
use std::time::Duration;

use mysql_async::prelude::{FromRow, Queryable as _};
use mysql_async::{Conn, Opts, OptsBuilder};
use tokio::sync::Mutex;

/// How long ending a connection may take.
const GOODBYE: Duration = Duration::from_millis(300);

/// Why a statement has no result.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// mysqld refused it.
    #[error("{} ({}): {}", .0.code, .0.state, .0.message)]
    Refused(mysql_async::ServerError),
    /// The connection broke, or could not be made.
    #[error("no connection to mysqld: {0}")]
    Broken(String),
    /// It took too long. Its effect is unknown.
    #[error("no answer from mysqld within {0:?}")]
    Timeout(Duration),
    /// A statement that returns exactly one row returned none.
    #[error("no row came back for {0}")]
    NoRow(String),
}

impl ControlError {
    /// mysqld's error number, when it is the server that said no.
    pub fn errno(&self) -> Option<u16> {
        match self {
            ControlError::Refused(error) => Some(error.code),
            _ => None,
        }
    }
}

impl From<mysql_async::Error> for ControlError {
    fn from(error: mysql_async::Error) -> ControlError {
        match error {
            mysql_async::Error::Server(error) => ControlError::Refused(error),
            error => ControlError::Broken(error.to_string()),
        }
    }
}

/// One connection, made when first needed, kept while it works, and used by one task at a time.
#[derive(Debug)]
pub struct Control {
    opts: Opts,
    conn: Mutex<Option<Conn>>,
}

impl Control {
    /// A connection to the server at this socket.
    pub fn new(socket: &Path, user: &str, password: &str) -> Control {
        let opts = OptsBuilder::default()
            .socket(Some(socket.display().to_string()))
            .user(Some(user))
            .pass(Some(password))
            .prefer_socket(Some(true))
            // Kept for as long as it works: mysqld must not end it for being idle.
            .setup(vec!["SET SESSION wait_timeout=31536000"])
            .stmt_cache_size(Some(0));
        Control {
            opts: opts.into(),
            conn: Mutex::new(None),
        }
    }

    /// Another connection to the same server as the same user.
    pub fn another(&self) -> Control {
        Control {
            opts: self.opts.clone(),
            conn: Mutex::new(None),
        }
    }

    /// Runs statements in order, each without a result; stops at the first error.
    pub async fn run<S: AsRef<str>>(&self, statements: &[S], limit: Duration) -> Result<(), ControlError> {
        self.with(limit, async |conn| {
            for statement in statements {
                tracing::debug!(statement = %redacted(statement.as_ref()), "control");
                conn.query_drop(statement.as_ref()).await?;
            }
            Ok(())
        })
        .await
    }

    /// All rows of a query.
    pub async fn rows<T>(&self, query: &str, limit: Duration) -> Result<Vec<T>, ControlError>
    where
        T: FromRow + Send + 'static,
    {
        self.with(limit, async |conn| conn.query::<T, _>(query).await)
            .await
    }

    /// The one row of a query.
    pub async fn row<T>(&self, query: &str, limit: Duration) -> Result<T, ControlError>
    where
        T: FromRow + Send + 'static,
    {
        self.with(limit, async |conn| conn.query_first::<T, _>(query).await)
            .await?
            .ok_or_else(|| ControlError::NoRow(query.to_owned()))
    }

    /// Ends the connection, be its server there or gone. mysqld's shutdown waits ten seconds for one that only fell silent.
    pub async fn reset(&self) {
        // A connection in use is left to its user, who may wait for long; it ends with its server or by KILL.
        let conn = self.conn.try_lock().ok().and_then(|mut slot| slot.take());
        if let Some(conn) = conn {
            let _ = tokio::time::timeout(GOODBYE, conn.disconnect()).await;
        }
    }

    /// Does something with the connection. Unless it ends in a row or a server's error, the connection is dropped, since
    /// its state is unknown then.
    async fn with<T>(
        &self,
        limit: Duration,
        work: impl AsyncFnOnce(&mut Conn) -> Result<T, mysql_async::Error>,
    ) -> Result<T, ControlError> {
        let work = async {
            let mut slot = self.conn.lock().await;
            let mut conn = match slot.take() {
                Some(conn) => conn,
                None => Conn::new(self.opts.clone()).await?,
            };
            let result = work(&mut conn).await;
            if matches!(result, Ok(_) | Err(mysql_async::Error::Server(_))) {
                *slot = Some(conn);
            }
            result
        };
        match tokio::time::timeout(limit, work).await {
            Ok(result) => Ok(result?),
            Err(_) => Err(ControlError::Timeout(limit)),
        }
    }
}

/// A statement without what must not be logged.
fn redacted(statement: &str) -> &str {
    let secret = ["PASSWORD", "IDENTIFIED BY"]
        .iter()
        .filter_map(|word| statement.find(word))
        .min();
    secret.and_then(|at| statement.get(..at)).unwrap_or(statement)
}

#[cfg(test)]
mod tests {
    use super::redacted;

    #[test]
    fn secrets_are_not_logged() {
        for statement in [
            "CHANGE REPLICATION SOURCE TO SOURCE_PORT=1, SOURCE_PASSWORD='secret'",
            "CLONE INSTANCE FROM 'r'@'h':1 IDENTIFIED BY 'secret' REQUIRE SSL",
        ] {
            assert!(!redacted(statement).contains("secret"), "{statement}");
        }
        assert_eq!(redacted("SELECT 1"), "SELECT 1");
    }
}
