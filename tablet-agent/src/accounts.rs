//! Vitrail's own accounts on mysqld. They exist on every member by its own template, outside the binlog: their statements
//! never wait for an acknowledgement (leadership.md, experiment 17), and GTID sets start empty.

use crate::secrets::Secrets;
use crate::sql_text::{grant_database, literal};

/// The agent's account: everything, on the local socket only.
pub const AGENT: &str = "vitrail_agent";
/// Members replicate from each other by it.
pub const REPLICATION: &str = "vitrail_repl";
/// The gateway's account: rights on objects of the keyspace's database and nothing else.
pub const APP: &str = "vitrail_app";

/// The database of our own tables.
pub const OWN_DATABASE: &str = "_vitrail";

/// Rights of the gateway's account on its database. Not among them: anything global. SUPER and CONNECTION_ADMIN would pass
/// offline_mode and read_only, which fence it; FILE reads the server's disk; the binlog and account rights are the agent's.
pub const APP_RIGHTS: &str = "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, REFERENCES, LOCK TABLES, \
    CREATE TEMPORARY TABLES, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, EXECUTE, TRIGGER, EVENT";

/// What a template's data directory gets, one statement each, run while mysqld initialises it.
pub fn template_statements(secrets: &Secrets) -> Vec<String> {
    let mut out = vec![
        format!(
            "CREATE USER '{AGENT}'@'localhost' IDENTIFIED BY {}",
            literal(&secrets.agent)
        ),
        format!("GRANT ALL ON *.* TO '{AGENT}'@'localhost' WITH GRANT OPTION"),
        // CONNECTION_ADMIN: offline_mode would kill the dump threads. BACKUP_ADMIN: a member that is rebuilt clones by it.
        format!(
            "CREATE USER '{REPLICATION}'@'%' IDENTIFIED BY {} REQUIRE SSL",
            literal(&secrets.replication)
        ),
        format!(
            "GRANT REPLICATION SLAVE, REPLICATION CLIENT, CONNECTION_ADMIN, BACKUP_ADMIN ON *.* TO '{REPLICATION}'@'%'"
        ),
    ];
    for host in ["localhost", "%"] {
        out.push(format!(
            "CREATE USER '{APP}'@'{host}' IDENTIFIED BY {}",
            literal(&secrets.app)
        ));
    }
    out.push(format!("CREATE DATABASE {OWN_DATABASE}"));
    // One row per term that was opened; its GTID is <shard id>:<term>.
    out.push(format!(
        "CREATE TABLE {OWN_DATABASE}.term (term BIGINT UNSIGNED NOT NULL PRIMARY KEY, holder VARCHAR(255) NOT NULL, \
         opened TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)) ENGINE=InnoDB"
    ));
    // One row, written by the primary every second. Its time is in microseconds since 1970.
    out.push(format!(
        "CREATE TABLE {OWN_DATABASE}.heartbeat (id TINYINT UNSIGNED NOT NULL PRIMARY KEY, term BIGINT UNSIGNED NOT NULL, \
         written_us BIGINT UNSIGNED NOT NULL, schema_hash BIGINT UNSIGNED NOT NULL) ENGINE=InnoDB"
    ));
    // One row: how far the keyspace's initial DDL got, and whether the next statement has been begun.
    out.push(format!(
        "CREATE TABLE {OWN_DATABASE}.initial_schema (id TINYINT UNSIGNED NOT NULL PRIMARY KEY, \
         statements_done INT UNSIGNED NOT NULL, running BOOLEAN NOT NULL, complete BOOLEAN NOT NULL) ENGINE=InnoDB"
    ));
    out.push("ALTER USER 'root'@'localhost' ACCOUNT LOCK".to_owned());
    out
}

/// What a member's own data directory gets before it joins its shard.
pub fn member_statements(database: &str) -> Vec<String> {
    let database = grant_database(database);
    ["localhost", "%"]
        .map(|host| format!("GRANT {APP_RIGHTS} ON {database}.* TO '{APP}'@'{host}'"))
        .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_one_line_each() {
        let secrets = Secrets {
            agent: "a'gent".into(),
            replication: "r\\epl".into(),
            app: "apps".into(),
        };
        let all = template_statements(&secrets).join(";\n");
        assert!(all.contains(r"'a\'gent'") && all.contains(r"'r\\epl'"));
        assert!(template_statements(&secrets).iter().all(|s| !s.contains('\n')));
    }

    #[test]
    fn the_gateway_gets_its_database_only() {
        for statement in member_statements("a_b") {
            assert!(statement.contains(r"ON `a\_b`.* TO"), "{statement}");
        }
        for right in [
            "SUPER",
            "ADMIN",
            "FILE",
            "PROCESS",
            "REPLICATION",
            "RELOAD",
            "GRANT",
        ] {
            assert!(!APP_RIGHTS.contains(right), "{right}");
        }
    }
}
