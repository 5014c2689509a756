//! The MySQL server of the tests, and the template data directory that their members are copied from.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tablet_agent::accounts;
use tablet_agent::hash::fnv1a;
use tablet_agent::secrets::Secrets;

pub(crate) const SECRETS: &str =
    r#"{"agent": "agent-password", "replication": "repl-password", "app": "app-password"}"#;

pub(crate) struct Server {
    pub(crate) mysqld: PathBuf,
    pub(crate) basedir: Option<PathBuf>,
}

/// The MySQL server that the project's scripts find.
pub(crate) fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/lib/mysql.sh");
        let output = Command::new(script).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let value = |name: &str| {
            text.lines()
                .find_map(|l| l.strip_prefix(&format!("{name}=")))
                .map(PathBuf::from)
        };
        Server {
            mysqld: value("MYSQLD").unwrap(),
            basedir: value("MYSQLD_BASEDIR"),
        }
    })
}

/// The template is kept between runs, by what it is made of.
pub(crate) fn template() -> PathBuf {
    let secrets: Secrets = serde_json::from_str(SECRETS).unwrap();
    let made_of = format!(
        "{:?} {:?}",
        accounts::template_statements(&secrets),
        server().mysqld
    );
    let hash = fnv1a(made_of.as_bytes());
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("template-{hash:016x}"))
}
