//! What an idle connection costs. A process of its own: it reads its own resident memory.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests may fail by panicking"
)]

#[path = "../server/echo.rs"]
#[allow(dead_code, reason = "shared with other tests, which need more of it")]
mod echo;

use echo::Echo;
use mysql_wire::{
    client::{ClientConnection, ConnectOptions, Target, connect},
    server::ServerConfig,
};

/// Resident memory of this process in bytes.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

/// Connections that have run a statement and wait, client and server end both in this process.
async fn idle(server: &Echo, count: usize) -> Vec<ClientConnection> {
    let target = Target::Tcp {
        host: "127.0.0.1".to_owned(),
        port: server.addr.port(),
    };
    let options = ConnectOptions::new("ann", "secret");
    let mut connections = Vec::new();
    for _ in 0..count {
        let mut connection = connect(&target, &options).await.unwrap();
        connection.query("big 100000").await.unwrap();
        connections.push(connection);
    }
    connections
}

#[test]
fn both_ends_of_an_idle_connection_take_less_than_8_kb() {
    const COUNT: usize = 300;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let server = Echo::start(ServerConfig::default());
        let first = idle(&server, 50).await;
        let before = resident();
        let more = idle(&server, COUNT).await;
        let each = (resident().saturating_sub(before)) / COUNT;
        assert!(each < 8 * 1024, "{each} bytes for each connection");
        drop((first, more));
    });
}
