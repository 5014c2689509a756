use std::path::PathBuf;

use super::*;

fn layout() -> Layout {
    let dir = PathBuf::from("/v/customer #1/t");
    Layout {
        data: dir.join("data"),
        my_cnf: dir.join("my.cnf"),
        state: dir.join("state.json"),
        tmp: dir.join("tmp"),
        error_log: dir.join("mysqld.err"),
        run: dir.join("run"),
        mysql_socket: dir.join("run/mysql.sock"),
        grpc_socket: dir.join("run/agent.sock"),
        template: PathBuf::from("/v/.template"),
        dir,
    }
}

fn rendered(change: impl FnOnce(&mut Settings<'_>)) -> String {
    let layout = layout();
    let mut settings = Settings {
        version: Version {
            major: 9,
            minor: 7,
            patch: 4,
        },
        layout: &layout,
        basedir: None,
        server_id: 7,
        host: "127.0.0.1",
        port: 4000,
        buffer_pool_mib: 64,
        acks: 1,
        extra: "",
        as_root: false,
    };
    change(&mut settings);
    render(&settings)
}

/// The value that mysqld would take: the last one in a `[mysqld]` group.
fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut in_group = false;
    let mut found = None;
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            in_group = line == "[mysqld]";
        } else if in_group
            && let Some((key, value)) = line.split_once('=')
            && key == name
        {
            found = Some(value);
        }
    }
    found
}

#[test]
fn a_member_starts_fenced() {
    let text = rendered(|_| ());
    for name in [
        "offline_mode",
        "read_only",
        "super_read_only",
        "skip_replica_start",
        "rpl_semi_sync_source_enabled",
    ] {
        assert_eq!(value(&text, name), Some("ON"), "{name}");
    }
    assert_eq!(value(&text, "rpl_semi_sync_source_timeout"), Some("4294967295"));
    assert_eq!(value(&text, "relay_log_recovery"), Some("OFF"));
}

#[test]
fn a_user_cannot_undo_what_fencing_relies_on() {
    let extra = "super_read_only=OFF\nsync_binlog=0\nmax_connections=10\n[client]\nuser=x";
    let text = rendered(|s| s.extra = extra);
    assert_eq!(value(&text, "super_read_only"), Some("ON"));
    assert_eq!(value(&text, "sync_binlog"), Some("1"));
    assert_eq!(value(&text, "max_connections"), Some("10"));
    assert_eq!(value(&text, "user"), None);
}

#[test]
fn paths_with_a_comment_sign_survive() {
    assert_eq!(
        value(&rendered(|_| ()), "datadir"),
        Some("\"/v/customer #1/t/data\"")
    );
}

#[test]
fn a_single_member_has_no_semi_sync() {
    assert_eq!(
        value(&rendered(|s| s.acks = 0), "rpl_semi_sync_source_enabled"),
        None
    );
}

#[test]
fn an_unpacked_server_is_told_where_it_is() {
    let text = rendered(|s| s.basedir = Some(Path::new("/opt/m/usr")));
    assert_eq!(
        value(&text, "plugin_dir"),
        Some("\"/opt/m/usr/lib/mysql/plugin\"")
    );
}

#[test]
fn old_servers_are_told_what_newer_ones_do_anyway() {
    let old = rendered(|s| {
        s.version = Version {
            major: 8,
            minor: 0,
            patch: 26,
        }
    });
    assert_eq!(value(&old, "replica_parallel_type"), Some("LOGICAL_CLOCK"));
    assert_eq!(value(&rendered(|_| ()), "replica_parallel_type"), None);
    assert_eq!(
        value(&rendered(|_| ()), "binlog_transaction_dependency_tracking"),
        None
    );
}
