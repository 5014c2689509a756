//! Everything that the protocol says of a statement, status flags included, in a form to compare.

use anyhow::{Context, Result};
use mysql_wire::client::{
    self, ClientConnection, ClientTls, ConnectOptions, ResultSet, Target, Verification,
};
use mysql_wire::value::Value;
use mysql_wire::{Capabilities, Error, StatusFlags};

use crate::cluster::Cluster;
use crate::plain::{ACCOUNT, Plain};

/// A raw connection: to the gateway, or to the judge.
pub struct Exchange(ClientConnection);

impl Exchange {
    /// Through the gateway.
    ///
    /// # Errors
    /// When it refuses the connection.
    pub async fn gateway(cluster: &Cluster, database: &str) -> Result<Self> {
        let (user, password) = cluster.account()?;
        Self::connect(cluster.port, &user, &password, database).await
    }

    /// To a plain server.
    ///
    /// # Errors
    /// When it refuses the connection.
    pub async fn plain(plain: &Plain, database: &str) -> Result<Self> {
        Self::connect(plain.port, ACCOUNT.0, ACCOUNT.1, database).await
    }

    async fn connect(port: u16, user: &str, password: &str, database: &str) -> Result<Self> {
        let mut options = ConnectOptions::new(user, password);
        options.database = Some(database.to_owned());
        options.capabilities = Capabilities::DEPRECATE_EOF | Capabilities::MULTI_STATEMENTS;
        options.tls = Some(ClientTls::new(&Verification::None)?);
        let host = "127.0.0.1".to_owned();
        let connection = client::connect(&Target::Tcp { host, port }, &options).await?;
        Ok(Self(connection))
    }

    /// Runs a text: one line for each of its results, or for the error that ended it.
    ///
    /// # Errors
    /// When the connection fails; the server's own errors are answers.
    pub async fn run(&mut self, text: &str) -> Result<Vec<String>> {
        match self.0.query_all(text).await {
            Ok(results) => Ok(results.iter().map(line).collect()),
            Err(Error::Sql(error)) => {
                let state = String::from_utf8_lossy(&error.state).into_owned();
                Ok(vec![format!("error {} ({state})", error.code)])
            }
            Err(error) => Err(error).with_context(|| text.to_owned()),
        }
    }

    /// Prepares, executes and closes a statement: one line for its first result, or for the error that ended it. None when the
    /// server does not prepare statements of this kind.
    ///
    /// # Errors
    /// When the connection fails; the server's own errors are answers.
    pub async fn run_prepared(&mut self, text: &str) -> Result<Option<Vec<String>>> {
        const NOT_PREPARED: u16 = 1295;
        let refused = |error: Error| match error {
            Error::Sql(error) if error.code == NOT_PREPARED => Ok(None),
            Error::Sql(error) => {
                let state = String::from_utf8_lossy(&error.state).into_owned();
                Ok(Some(vec![format!("error {} ({state})", error.code)]))
            }
            error => Err(error).with_context(|| text.to_owned()),
        };
        let prepared = match self.0.prepare(text).await {
            Ok(prepared) => prepared,
            Err(error) => return refused(error),
        };
        let executed = self.0.execute(&prepared, &[]).await;
        self.0.close_statement(prepared);
        match executed {
            Ok(result) => Ok(Some(vec![line(&result)])),
            Err(error) => refused(error),
        }
    }
}

/// A cell for people.
trait Show {
    fn show(&self) -> String;
}

impl Show for Option<Vec<u8>> {
    fn show(&self) -> String {
        format!("{:?}", self.as_deref().map(String::from_utf8_lossy))
    }
}

impl Show for Value {
    fn show(&self) -> String {
        match self {
            Self::Bytes(bytes) => format!("{:?}", Some(String::from_utf8_lossy(bytes))),
            other => format!("{other:?}"),
        }
    }
}

fn line<C: Show>(result: &ResultSet<C>) -> String {
    let ok = &result.ok;
    // Whether the server tracks a change is an agreement of each hop, and only a server that reads tables has indexes to miss.
    let status = ok
        .status
        .without(StatusFlags::SESSION_STATE_CHANGED | StatusFlags::NO_INDEX_USED);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let columns: Vec<String> = result
        .columns
        .iter()
        .map(|column| format!("{}: {:?}", text(&column.name), column.format.ty))
        .collect();
    let rows: Vec<Vec<String>> = result
        .rows
        .iter()
        .map(|row| row.iter().map(Show::show).collect())
        .collect();
    format!(
        "{status:?} affected {} id {} warnings {} info {:?} columns {columns:?} rows {rows:?}",
        ok.affected_rows,
        ok.last_insert_id,
        ok.warnings,
        text(&ok.info),
    )
}
