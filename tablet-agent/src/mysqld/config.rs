//! mysqld's option file. It is written anew before every start; what it fences with is at its end, so that neither a user's
//! extra options nor a lost SET PERSIST can open a server that the agent has not opened.

use std::fmt::Write as _;
use std::path::Path;

use super::version::Version;
use crate::layout::Layout;

/// What varies between members.
#[derive(Debug, Clone)]
pub struct Settings<'a> {
    /// The server that will read it.
    pub version: Version,
    /// Where things are.
    pub layout: &'a Layout,
    /// Prefix of an unpacked server.
    pub basedir: Option<&'a Path>,
    /// server_id.
    pub server_id: u32,
    /// Address to listen on.
    pub host: &'a str,
    /// Port to listen on.
    pub port: u16,
    /// Buffer pool in MiB.
    pub buffer_pool_mib: u32,
    /// Acknowledgements that a commit waits for; 0: no semi-sync (a single member).
    pub acks: u32,
    /// Further lines of the user.
    pub extra: &'a str,
    /// Whether we are root, which mysqld wants confirmed.
    pub as_root: bool,
}

/// Longest wait for an acknowledgement that mysqld can be told, in milliseconds (49.7 days): semi-sync never degrades.
pub const ACK_TIMEOUT_MAX: u32 = u32::MAX;

/// The option file's text.
pub fn render(s: &Settings<'_>) -> String {
    let mut out = String::from(
        "# Written by tablet-agent before each start of mysqld: changes here are lost.\n[mysqld]\n",
    );
    defaults(&mut out, s);
    if !s.extra.trim().is_empty() {
        out.push_str("\n# From --extra-config.\n");
        out.push_str(s.extra.trim_end());
        // The extra text may have opened another group.
        out.push_str("\n\n[mysqld]\n");
    }
    mandatory(&mut out, s);
    out
}

/// What a user may change.
fn defaults(out: &mut String, s: &Settings<'_>) {
    let _ = write!(
        out,
        "\
innodb_buffer_pool_size={}M
performance_schema=OFF
# Gateways pool connections: a few hundred per member in practice.
max_connections=2000
# Every pooled connection keeps the statements of many sessions prepared; the default of 16382 is reached by 20 of them.
max_prepared_stmt_count=1000000
max_allowed_packet=1G
# The client side decides whether LOAD DATA LOCAL sends anything, and the only clients are gateways.
local_infile=ON
binlog_expire_logs_seconds=604800
log_error_verbosity=2
log_timestamps=UTC
",
        s.buffer_pool_mib
    );
}

/// What replication, fencing and the agent rely on.
fn mandatory(out: &mut String, s: &Settings<'_>) {
    if s.as_root {
        out.push_str("user=root\n");
    }
    if let Some(basedir) = s.basedir {
        path(out, "basedir", basedir);
        path(out, "plugin_dir", &basedir.join("lib/mysql/plugin"));
        path(out, "lc_messages_dir", &basedir.join("share/mysql"));
    }
    path(out, "datadir", &s.layout.data);
    path(out, "socket", &s.layout.mysql_socket);
    path(out, "pid_file", &s.layout.run.join("mysqld.pid"));
    path(out, "tmpdir", &s.layout.tmp);
    path(out, "log_error", &s.layout.error_log);
    let _ = write!(
        out,
        "\
bind_address={host}
port={port}
report_host={host}
report_port={port}
server_id={id}
mysqlx=0
skip_name_resolve=ON
secure_file_priv=NULL
# A restart starts from this file, not from what somebody persisted.
persisted_globals_load=OFF

# Nobody but the agent and replication gets in, and nothing is written, before the agent knows the shard's leader.
offline_mode=ON
read_only=ON
super_read_only=ON
skip_replica_start=ON

# An acknowledged commit is on disk here and in the relay log of an acker.
sync_binlog=1
innodb_flush_log_at_trx_commit=1
innodb_doublewrite=ON
log_bin=binlog
log_replica_updates=ON
relay_log=relay
relay_log_recovery=OFF
gtid_mode=ON
enforce_gtid_consistency=ON
binlog_format=ROW
binlog_row_image=FULL
# Row events carry column names, types and collations: change streams need no second look at the schema.
binlog_row_metadata=FULL
# Row events make it safe, and the gateway's account has no SUPER to create triggers and functions without it.
log_bin_trust_function_creators=ON
binlog_order_commits=ON
# Without it a member could have holes in its GTID set, and could then not acknowledge.
replica_preserve_commit_order=ON
replica_parallel_workers=4
replica_net_timeout=5
",
        host = s.host,
        port = s.port,
        id = s.server_id,
    );
    if s.version
        < (Version {
            major: 8,
            minor: 0,
            patch: 27,
        })
    {
        out.push_str("replica_parallel_type=LOGICAL_CLOCK\n");
    }
    if s.version
        < (Version {
            major: 8,
            minor: 4,
            patch: 0,
        })
    {
        // The default and the only choice from 8.4 on.
        out.push_str("binlog_transaction_dependency_tracking=WRITESET\n");
    }
    out.push_str(
        "plugin_load_add=rpl_semi_sync_source=semisync_source.so;rpl_semi_sync_replica=semisync_replica.so;clone=mysql_clone.so\n",
    );
    if s.acks > 0 {
        // On from the first moment: a server that comes up with no replica attached blocks writes instead of acknowledging
        // what only it has. The agent switches the source's side off on a replica, whose applier would wait as well.
        let _ = write!(
            out,
            "\
rpl_semi_sync_source_enabled=ON
rpl_semi_sync_source_wait_for_replica_count={}
rpl_semi_sync_source_timeout={ACK_TIMEOUT_MAX}
rpl_semi_sync_source_wait_no_replica=ON
rpl_semi_sync_source_wait_point=AFTER_SYNC
rpl_semi_sync_replica_enabled=OFF
",
            s.acks
        );
    }
}

/// A path, quoted: `#` starts a comment in an option file, and a backslash an escape.
fn path(out: &mut String, name: &str, path: &Path) {
    let text = path
        .display()
        .to_string()
        .replace('\\', "\\\\")
        .replace('"', "\\\"");
    let _ = writeln!(out, "{name}=\"{text}\"");
}

#[cfg(test)]
mod tests;
