//! Which files of the main suite can be judged through a gateway: those that talk to one server over one connection.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use regex::{Regex, RegexBuilder};

/// A file of the suite, and why it takes no part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its name without `.test`.
    pub name: String,
    /// None: it takes part.
    pub excluded: Option<&'static str>,
}

/// Reasons to leave a file out, with what shows it in the file or in a file that it includes.
const RULES: &[(&str, &str)] = &[
    (
        "more than one connection",
        r"^\s*(--\s*)?(connect\s*\(|connection\s+\w|disconnect\s|change_user\b|reset_connection\b|send\b|reap\b|send_eval\b)",
    ),
    (
        "SET GLOBAL",
        r"set\s+(global|persist|@@global|@@persist)|@@global\.\w+\s*:?=|set\s+[^;]*(,|\s)(global|persist)\s",
    ),
    (
        "EXPLAIN",
        r"explain|\bdesc(ribe)?\s+(select|format|analyze|insert|update|delete|replace|extended|\()",
    ),
    (
        "restart",
        r"restart_mysqld|shutdown_mysqld|kill_mysqld|start_mysqld|wait_until_disconnected|^\s*(restart|shutdown)\b",
    ),
    (
        "shell",
        r"^\s*(--\s*)?(exec|execw|exec_in_background|system|perl|shutdown_server|send_shutdown|send_quit)\b",
    ),
    (
        "server files",
        r"\binto\s+(outfile|dumpfile)|load_file\s*\(|(data|index)\s+directory|\bload\s+(data|xml)\b|tablespace|import\s+table|\bcopy_file\b|\bdatadir\b|write_file|remove_file|cat_file|list_files|move_file|file_exists|secure_file|MYSQLTEST_VARDIR|MYSQL_TMP_DIR",
    ),
    (
        "debug build",
        r"have_debug|debug_sync|set\s+[^;]*\bdebug\b|have_valgrind",
    ),
    (
        "performance_schema",
        r"performance_schema|\bsys\.|events_statements",
    ),
    (
        "replication",
        r"master-slave|rpl_|binlog|\bslave|replica|\bmaster\b|gtid|relay",
    ),
    (
        "databases",
        r"\b(create|drop|alter)\s+(database|schema)\b|\buse\s+`?[a-z_]|\bmtr\.",
    ),
    (
        "accounts",
        r"\b(create|drop|alter|rename)\s+(user|role)\b|\bgrant\b|\brevoke\b|set\s+password|set\s+(default\s+)?role|definer|sql\s+security|current_user\b|\bmysql\.\w",
    ),
    (
        "another build or plugin",
        r"have_ndb|have_\w*plugin|(un)?install\s+(plugin|component)|soname|big_test",
    ),
];

/// `USE test` is allowed, although the rule of databases sees it.
const USE_TEST: &str = r"\buse\s+`?test`?\s*;";

/// Files beside a test that give its server options of its own.
const OPTION_FILES: &[&str] = &["-master.opt", "-master.sh", "-client.opt", "-slave.opt", ".cnf"];

/// All files of the main suite, in order of their names.
///
/// # Errors
/// When the suite cannot be read.
pub fn candidates(suite: &Path) -> Result<Vec<Candidate>> {
    let rules = RULES
        .iter()
        .map(|(reason, pattern)| Ok((*reason, compile(pattern)?)))
        .collect::<Result<Vec<_>>>()?;
    let use_test = compile(USE_TEST)?;
    let include = compile(r"^\s*(--\s*)?source\s+([^\s;]+)")?;
    let dir = suite.join("t");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&dir).with_context(|| format!("cannot read {}", dir.display()))? {
        let file = entry?.file_name().to_string_lossy().into_owned();
        names.extend(file.strip_suffix(".test").map(str::to_owned));
    }
    names.sort_unstable();
    let judge = |name: String| {
        let has_options = OPTION_FILES
            .iter()
            .any(|suffix| dir.join(format!("{name}{suffix}")).exists());
        let excluded = if has_options {
            Some("options of its own for the server")
        } else {
            let text = with_includes(suite, &dir.join(format!("{name}.test")), &include);
            let text = use_test.replace_all(&text, "");
            rules
                .iter()
                .find(|(_, rule)| rule.is_match(&text))
                .map(|(reason, _)| *reason)
        };
        Candidate { name, excluded }
    };
    Ok(names.into_iter().map(judge).collect())
}

fn compile(pattern: &str) -> Result<Regex> {
    Ok(RegexBuilder::new(pattern)
        .case_insensitive(true)
        .multi_line(true)
        .build()?)
}

/// The text of a file and of all that it includes, without comments. Bytes that are no UTF-8 do not matter to the rules.
fn with_includes(suite: &Path, file: &Path, include: &Regex) -> String {
    let mut seen = BTreeSet::new();
    let mut waiting: Vec<PathBuf> = vec![file.to_path_buf()];
    let mut all = String::new();
    while let Some(path) = waiting.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
            if let Some(found) = include.captures(line).and_then(|captures| captures.get(2)) {
                waiting.push(suite.join(found.as_str()));
            }
            all.push_str(line);
            all.push('\n');
        }
    }
    all
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn files_are_judged_with_what_they_include() {
        let temp = tempfile::tempdir().unwrap();
        for dir in ["t", "include"] {
            std::fs::create_dir(temp.path().join(dir)).unwrap();
        }
        let write = |name: &str, text: &str| std::fs::write(temp.path().join(name), text).unwrap();
        write("t/plain.test", "# explain nothing\nuse test;\nSELECT 1;\n");
        write("t/indirect.test", "--source include/a.inc\n");
        write("include/a.inc", "source include/b.inc;\n");
        write(
            "include/b.inc",
            "connect (con1,localhost,root,,);\nsource include/a.inc;\n",
        );
        write("t/options.test", "SELECT 1;\n");
        write("t/options-master.opt", "--x\n");
        write("t/other_database.test", "USE other;\n");
        write("t/global.test", "SET @@global.x = 1;\n");
        let found = candidates(temp.path()).unwrap();
        let reasons: Vec<_> = found
            .iter()
            .map(|found| (found.name.as_str(), found.excluded))
            .collect();
        assert_eq!(
            reasons,
            [
                ("global", Some("SET GLOBAL")),
                ("indirect", Some("more than one connection")),
                ("options", Some("options of its own for the server")),
                ("other_database", Some("databases")),
                ("plain", None),
            ]
        );
    }
}
