//! MySQL's command line client.

use std::{
    path::Path,
    process::{Command, Output, Stdio},
    sync::LazyLock,
};

use mysql_wire::server::ServerConfig;

use crate::echo::Echo;

static MYSQL: LazyLock<String> = LazyLock::new(|| {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/lib/mysql.sh");
    let output = Command::new("bash")
        .arg(script)
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    lines
        .lines()
        .find_map(|line| line.strip_prefix("MYSQL="))
        .expect("a mysql client")
        .to_owned()
});

/// Runs the client against a server, over TCP.
fn mysql(server: &Echo, user: &str, args: &[&str], sql: &str) -> Output {
    let port = format!("-P{}", server.addr.port());
    run(&[&["-h127.0.0.1", &port], args].concat(), user, sql)
}

fn run(args: &[&str], user: &str, sql: &str) -> Output {
    Command::new(&*MYSQL)
        .args([
            "--no-defaults",
            "-N",
            "-B",
            "-A",
            "--connect-timeout=10",
            "-u",
            user,
        ])
        .args(args)
        .args(["-e", sql])
        .env("MYSQL_PWD", "secret")
        .output()
        .unwrap()
}

fn out(output: &Output) -> String {
    assert!(output.status.success(), "{}", err(output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const PLAIN: &[&str] = &["--ssl-mode=DISABLED"];
const TLS: &[&str] = &["--ssl-mode=REQUIRED"];

#[test]
fn caching_sha2_by_the_fast_path_on_plain_tcp_and_tls() {
    let server = Echo::with_tls(ServerConfig::default());
    assert_eq!(
        out(&mysql(&server, "ann", PLAIN, "whoami")),
        "ann\tNULL\tlibmysql\tNULL\tNULL\n"
    );
    assert_eq!(
        out(&mysql(&server, "ann", TLS, "whoami")),
        "ann\tNULL\tlibmysql\tTLSv1_3\tNULL\n"
    );
    let version = mysql(
        &server,
        "ann",
        &["--ssl-mode=REQUIRED", "--tls-version=TLSv1.2"],
        "whoami",
    );
    assert_eq!(out(&version), "ann\tNULL\tlibmysql\tTLSv1_2\tNULL\n");
    let no_tls = Echo::start(ServerConfig::default());
    assert!(
        err(&mysql(&no_tls, "ann", TLS, "whoami")).contains("SSL"),
        "TLS is not offered"
    );
}

#[test]
fn wrong_passwords_and_unknown_users_get_1045() {
    let server = Echo::with_tls(ServerConfig::default());
    for mode in [PLAIN, TLS] {
        for (user, password) in [
            ("ann", "--password=wrong"),
            ("nobody", "--password=wrong"),
            ("ann", "--skip-password"),
        ] {
            let output = mysql(&server, user, &[mode, &[password]].concat(), "select 1");
            assert!(!output.status.success());
            let used = if password == "--skip-password" {
                "NO"
            } else {
                "YES"
            };
            let message = format!(
                "ERROR 1045 (28000): Access denied for user '{user}'@'client' (using password: {used})"
            );
            assert!(err(&output).contains(&message), "{}", err(&output));
        }
    }
    assert!(err(&mysql(&server, "lou", PLAIN, "select 1")).contains("ERROR 3118 (HY000)"));
}

#[test]
fn full_authentication_over_tls_and_unix_socket_only() {
    let server = Echo::with_tls(ServerConfig::default());
    let password = "--password=x";
    assert!(out(&mysql(&server, "ida", &[TLS, &[password]].concat(), "whoami")).starts_with("ida"));
    let socket = format!("-S{}", server.socket.display());
    assert!(out(&run(&[&socket, password], "ida", "whoami")).starts_with("ida"));
    let wrong = mysql(&server, "ida", &[TLS, &["--password=y"]].concat(), "whoami");
    assert!(err(&wrong).contains("ERROR 1045"));
    for key in ["--get-server-public-key", "--skip-get-server-public-key"] {
        let output = mysql(&server, "ida", &[PLAIN, &[password, key]].concat(), "whoami");
        assert!(!output.status.success());
    }
}

#[test]
fn require_secure_transport_refuses_plain_tcp() {
    let server = Echo::with_tls(ServerConfig {
        require_secure_transport: true,
        ..ServerConfig::default()
    });
    assert!(err(&mysql(&server, "ann", PLAIN, "whoami")).contains("ERROR 3159 (HY000)"));
    assert!(out(&mysql(&server, "ann", TLS, "whoami")).starts_with("ann"));
    let socket = format!("-S{}", server.socket.display());
    assert!(out(&run(&[&socket], "ann", "whoami")).starts_with("ann"));
}

#[test]
fn databases_are_asked_for_at_login() {
    let server = Echo::start(ServerConfig::default());
    assert!(out(&mysql(&server, "ann", &["-D", "shop"], "whoami")).starts_with("ann\tshop\t"));
    assert!(err(&mysql(&server, "ann", &["-D", "nowhere"], "whoami")).contains("ERROR 1049 (42000)"));
}

#[test]
fn compression_by_zlib_and_zstd() {
    let server = Echo::with_tls(ServerConfig::default());
    for mode in [PLAIN, TLS] {
        for (algorithms, agreed) in [
            ("zlib", "Zlib"),
            ("zstd", "Zstd { level: 7 }"),
            ("zstd,zlib", "Zlib"),
            ("uncompressed", "NULL"),
        ] {
            let option = format!("--compression-algorithms={algorithms}");
            let args = [
                mode,
                &[&option, "--zstd-compression-level=7", "--max-allowed-packet=64M"],
            ]
            .concat();
            let output = mysql(&server, "ann", &args, "whoami");
            assert_eq!(
                out(&output).trim_end().rsplit('\t').next(),
                Some(agreed),
                "{algorithms}"
            );
            let big = mysql(&server, "ann", &args, "big 20000000");
            assert_eq!(out(&big).len(), 20_000_001);
        }
    }
}

#[test]
fn statements_results_and_errors() {
    let server = Echo::start(ServerConfig::default());
    assert_eq!(out(&mysql(&server, "ann", PLAIN, "multi")), "one\ntwo\n");
    assert_eq!(
        out(&mysql(&server, "ann", &["--skip-binary-as-hex"], "näïve 😀")),
        "näïve 😀\tNULL\n"
    );
    let output = mysql(&server, "ann", &["-vvv"], "insert");
    assert!(
        out(&output).contains("3 rows affected") && out(&output).contains("Records: 3"),
        "{}",
        out(&output)
    );
    assert!(
        err(&mysql(&server, "ann", PLAIN, "fail"))
            .contains("ERROR 1064 (42000) at line 1: You have an error")
    );
    assert_eq!(
        out(&mysql_stdin(
            &server,
            "--ssl-mode=DISABLED",
            "query_attributes n1 v1 n2 v2\nselect 1"
        )),
        "select 1\tn1,n2\n"
    );
    let long = format!("select '{}'", "y".repeat(18_000_000));
    let text = out(&mysql_stdin(&server, "--ssl-mode=DISABLED", &long));
    assert_eq!(
        text.len(),
        long.len() + "\tNULL\n".len(),
        "a statement of more than 16 MB"
    );
}

#[test]
fn a_message_that_is_too_large_gets_its_error() {
    let server = Echo::with_tls(ServerConfig {
        max_allowed_packet: 1 << 20,
        ..ServerConfig::default()
    });
    for len in [3_000_000, 40_000_000] {
        let long = format!("select '{}'", "y".repeat(len));
        for mode in ["--ssl-mode=DISABLED", "--ssl-mode=REQUIRED"] {
            let output = mysql_stdin(&server, mode, &long);
            assert!(
                err(&output).contains("ERROR 1153 (08S01)"),
                "{len} {mode}: {}",
                err(&output)
            );
        }
    }
}

/// Runs a statement that is too long for the command line.
fn mysql_stdin(server: &Echo, mode: &str, sql: &str) -> Output {
    use std::io::Write;
    let mut child = Command::new(&*MYSQL)
        .args([
            "--no-defaults",
            "-N",
            "-B",
            "-A",
            "--loose-commands",
            "-h127.0.0.1",
            "-uann",
            "--max-allowed-packet=64M",
        ])
        .arg(format!("-P{}", server.addr.port()))
        .arg(mode)
        .env("MYSQL_PWD", "secret")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // The client may have given up before it has read everything.
    let _ = stdin
        .write_all(sql.as_bytes())
        .and_then(|()| stdin.write_all(b";\n"));
    drop(stdin);
    child.wait_with_output().unwrap()
}

#[test]
fn local_files_are_sent_on_request() {
    let server = Echo::start(ServerConfig::default());
    let file = std::env::temp_dir().join(format!("vitrail-infile-{}", std::process::id()));
    std::fs::write(&file, vec![b'z'; 123_456]).unwrap();
    let output = mysql(
        &server,
        "ann",
        &["--local-infile=1", "-vvv"],
        &format!("infile {}", file.display()),
    );
    std::fs::remove_file(&file).unwrap();
    assert!(out(&output).contains("123456 rows affected"), "{}", out(&output));
}
