//! The client side against a real MySQL server, which these tests start themselves.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests may fail by panicking")]

#[path = "../common/mod.rs"]
mod common;

mod auth;
mod commands;
mod compression;
mod parameters;
mod values;

use common::MYSQLD;
use mysql_wire::client::{ClientConnection, ConnectOptions, QueryResult, Target, connect};

fn unix() -> Target {
    Target::Unix(MYSQLD.socket.clone())
}

fn tcp() -> Target {
    Target::Tcp {
        host: "127.0.0.1".into(),
        port: MYSQLD.port,
    }
}

/// A connection as root with a database of its own.
async fn root(database: &str) -> ClientConnection {
    root_with(database, ConnectOptions::new("root", "")).await
}

async fn root_with(database: &str, options: ConnectOptions) -> ClientConnection {
    let mut connection = connect(&unix(), &options).await.unwrap();
    connection
        .query(format!("CREATE DATABASE IF NOT EXISTS {database}"))
        .await
        .unwrap();
    connection.init_db(database).await.unwrap();
    connection
}

/// All cells of a result as text, NULL as `NULL`.
fn cells(result: &QueryResult) -> Vec<Vec<String>> {
    let text = |cell: &Option<Vec<u8>>| match cell {
        Some(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        None => "NULL".to_owned(),
    };
    result
        .rows
        .iter()
        .map(|row| row.iter().map(text).collect())
        .collect()
}
