//! `vitrail local status`.

use std::io::Write;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use serde::Serialize;
use topology::remote::RemoteOptions;
use topology::{Address, RemoteStore, TypedStore};

use super::dir::ClusterDir;
use super::state::ClusterState;
use super::tablets::{self, KeyspaceStatus, ShardStatus};
use crate::args::{Output, StatusArgs};

/// The whole cluster, as `-o json` and `-o yaml` print it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ClusterStatus {
    dir: String,
    running: bool,
    /// Where MySQL clients connect.
    gateway: String,
    gateway_ready: bool,
    my_cnf: String,
    keyspaces: Vec<KeyspaceStatus>,
}

/// Prints the state of the cluster; an error when none runs.
pub(crate) async fn status(args: &StatusArgs) -> Result<()> {
    let dir = ClusterDir::new(&args.dir.dir)?;
    if dir.running()?.is_none() {
        bail!(
            "no cluster runs in {}; start one with `vitrail local up --dir {0}`",
            dir.root().display()
        );
    }
    let state = ClusterState::load(&dir)?.context("the cluster is only just starting")?;
    let store = connect(&dir)?;
    let keyspaces = tablets::read(&store).await.context("cannot read the topology")?;
    let cluster = ClusterStatus {
        dir: dir.root().display().to_string(),
        running: true,
        gateway: format!("127.0.0.1:{}", state.port),
        gateway_ready: super::ready::gateway_is_ready(state.http_port).await,
        my_cnf: dir.my_cnf().display().to_string(),
        keyspaces,
    };
    let text = match args.output {
        Some(Output::Json) => serde_json::to_string_pretty(&cluster)? + "\n",
        Some(Output::Yaml) => serde_saphyr::to_string(&cluster)?,
        None => table(&cluster, false),
        Some(Output::Wide) => table(&cluster, true),
    };
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(())
}

/// A client of the cluster's topology store.
pub(crate) fn connect(dir: &ClusterDir) -> Result<TypedStore> {
    let store = RemoteStore::new(&Address::Unix(dir.topology_socket()), RemoteOptions::default())?;
    Ok(TypedStore::new(Arc::new(store)))
}

fn table(cluster: &ClusterStatus, wide: bool) -> String {
    let mut header = vec![
        "KEYSPACE",
        "SHARD",
        "TABLET",
        "ROLE",
        "STATE",
        "LAG",
        "SEMI-SYNC",
        "SPARE",
        "GTID",
    ];
    if wide {
        header.extend(["TERM", "VERSION", "ADDRESS", "PID", "SOCKET", "REASON"]);
    }
    let mut rows = vec![header.into_iter().map(str::to_owned).collect::<Vec<_>>()];
    for keyspace in &cluster.keyspaces {
        for shard in &keyspace.shards {
            let has_primary = shard.tablets.iter().any(|tablet| tablet.role == "primary");
            for (serial, tablet) in shard.tablets.iter().enumerate() {
                // What is true of the whole shard stands with its primary.
                let (semi_sync, spare) = match (tablet.role, has_primary, serial) {
                    ("primary", ..) | (_, false, 0) => (&*shard.semi_sync, spare(shard)),
                    _ => ("", ""),
                };
                let mut row = vec![
                    keyspace.name.clone(),
                    shard.name.clone(),
                    tablet.name.clone(),
                    tablet.role.to_owned(),
                    tablet.state.to_owned(),
                    tablet.lag_ms.map(lag).unwrap_or_default(),
                    semi_sync.to_owned(),
                    spare.to_owned(),
                    if wide {
                        tablet.gtid_executed.clone()
                    } else {
                        short_gtids(&tablet.gtid_executed)
                    },
                ];
                if wide {
                    row.extend([
                        tablet.term.to_string(),
                        tablet.mysql_version.clone(),
                        tablet.mysql_address.clone(),
                        tablet.mysqld_pid.map(|pid| pid.to_string()).unwrap_or_default(),
                        tablet.mysql_socket.clone(),
                        tablet.reason.clone(),
                    ]);
                }
                rows.push(row);
            }
        }
    }
    let mut text = columns(&rows);
    text.push('\n');
    let notes = notes(cluster, wide);
    text.push_str(&notes);
    if !notes.is_empty() {
        text.push('\n');
    }
    let ready = if cluster.gateway_ready {
        "ready"
    } else {
        "not ready"
    };
    text.push_str(&format!(
        "Gateway {} is {ready}: mysql --defaults-file={}\n",
        cluster.gateway, cluster.my_cnf
    ));
    text
}

/// Whether one more member can be lost, in a word.
fn spare(shard: &ShardStatus) -> &'static str {
    if shard.one_more_loss.survived { "yes" } else { "no" }
}

/// What is wrong, a line each: why a tablet does not serve, which the wide table has in a column, and why a shard cannot lose one
/// more member.
fn notes(cluster: &ClusterStatus, wide: bool) -> String {
    let mut text = String::new();
    for keyspace in &cluster.keyspaces {
        for shard in &keyspace.shards {
            let reasons = shard
                .tablets
                .iter()
                .filter(|tablet| !wide && tablet.state != "Serving" && !tablet.reason.is_empty());
            for tablet in reasons {
                text.push_str(&format!(
                    "{} is {}: {}\n",
                    tablet.name, tablet.state, tablet.reason
                ));
            }
            if !shard.one_more_loss.survived {
                text.push_str(&format!(
                    "{}/{} has no spare member: {}\n",
                    keyspace.name, shard.name, shard.one_more_loss.why
                ));
            }
        }
    }
    text
}

/// Columns as wide as their widest cell and three spaces apart, as kubectl prints them; empty cells as `-`.
fn columns(rows: &[Vec<String>]) -> String {
    let count = rows.first().map_or(0, Vec::len);
    let cell = |text: &str| {
        if text.is_empty() {
            "-".to_owned()
        } else {
            text.to_owned()
        }
    };
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|text| cell(text).chars().count())
            .max()
    };
    let widths: Vec<usize> = (0..count).map(|column| width(column).unwrap_or(0)).collect();
    let mut out = String::new();
    for row in rows {
        let line: String = row
            .iter()
            .zip(&widths)
            .map(|(text, width)| format!("{:width$}   ", cell(text)))
            .collect();
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

fn lag(ms: u64) -> String {
    if ms < 1000 {
        format!("{ms}ms")
    } else {
        format!("{}.{}s", ms / 1000, ms % 1000 / 100)
    }
}

/// Enough of a GTID set to compare the members of a shard: server ids cut to 8 digits, in at most two parts.
fn short_gtids(set: &str) -> String {
    let parts: Vec<String> = set
        .split(',')
        .filter_map(|part| part.trim().split_once(':'))
        .map(|(uuid, intervals)| format!("{}:{intervals}", uuid.get(..8).unwrap_or(uuid)))
        .collect();
    match parts.as_slice() {
        [first, second, _, ..] => format!("{first},{second},.. ({} parts)", parts.len()),
        _ => parts.join(","),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_name_what_is_empty() {
        let rows = [
            vec!["A".to_owned(), "LONG".to_owned()],
            vec!["value".to_owned(), String::new()],
        ];
        assert_eq!(columns(&rows), "A       LONG\nvalue   -\n");
    }

    #[test]
    fn lag_is_short() {
        assert_eq!(lag(0), "0ms");
        assert_eq!(lag(999), "999ms");
        assert_eq!(lag(12_345), "12.3s");
    }

    #[test]
    fn gtid_sets_are_cut() {
        assert_eq!(short_gtids(""), "");
        assert_eq!(
            short_gtids("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5:9"),
            "3e11fa47:1-5:9"
        );
        let many = "aaaaaaaa-1:1,bbbbbbbb-1:2,\ncccccccc-1:3";
        assert_eq!(short_gtids(many), "aaaaaaaa:1,bbbbbbbb:2,.. (3 parts)");
    }
}
