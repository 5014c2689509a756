//! Logging in.

use mysql_wire::Error;
use mysql_wire::client::{ClientTls, ConnectOptions, Target, Verification, connect};

use crate::{MYSQLD, cells, root, tcp, unix};

/// Each account is used by one test only: what a login leaves in the server's cache decides about the next one.
async fn account(name: &str) -> ConnectOptions {
    let mut root = root("auth").await;
    root.query(format!("CREATE USER {name} IDENTIFIED BY 'sec''ret'"))
        .await
        .unwrap();
    root.query(format!("GRANT SELECT ON auth.* TO {name}"))
        .await
        .unwrap();
    root.quit().await.unwrap();
    ConnectOptions::new(name, "sec'ret")
}

async fn log_in(target: &Target, options: &ConnectOptions) -> Result<String, Error> {
    let mut connection = connect(target, options).await?;
    let user = connection.query("SELECT CURRENT_USER()").await?;
    connection.quit().await?;
    Ok(cells(&user).concat().concat())
}

fn code(result: Result<String, Error>) -> u16 {
    match result {
        Err(Error::Sql(error)) => error.code,
        other => panic!("{other:?}"),
    }
}

fn tls(verification: &Verification) -> Option<ClientTls> {
    Some(ClientTls::new(verification).unwrap())
}

fn ca() -> Vec<u8> {
    std::fs::read(MYSQLD.data.join("ca.pem")).unwrap()
}

#[tokio::test]
async fn the_full_exchange_needs_a_safe_way_and_then_the_cache_answers() {
    let options = account("full_exchange").await;
    assert_eq!(code(log_in(&tcp(), &options).await), 2061);
    assert_eq!(log_in(&unix(), &options).await.unwrap(), "full_exchange@%");
    assert_eq!(log_in(&tcp(), &options).await.unwrap(), "full_exchange@%");
    root("auth").await.query("FLUSH PRIVILEGES").await.unwrap();
    assert_eq!(code(log_in(&tcp(), &options).await), 2061);
}

#[tokio::test]
async fn the_password_can_be_encrypted_for_the_server() {
    let mut options = account("by_rsa").await;
    options.get_server_public_key = true;
    assert_eq!(log_in(&tcp(), &options).await.unwrap(), "by_rsa@%");
    let mut wrong = account("by_rsa_wrong").await;
    wrong.get_server_public_key = true;
    wrong.password = "secret".into();
    assert_eq!(code(log_in(&tcp(), &wrong).await), 1045);
}

#[tokio::test]
async fn tls_with_every_verification() {
    let mut options = account("by_tls").await;
    options.tls = tls(&Verification::None);
    assert_eq!(log_in(&tcp(), &options).await.unwrap(), "by_tls@%");
    options.tls = tls(&Verification::Ca { ca_pem: ca() });
    let mut connection = connect(&tcp(), &options).await.unwrap();
    let cipher = connection.query("SHOW STATUS LIKE 'Ssl_cipher'").await.unwrap();
    assert!(cipher.text(0, "Value").unwrap().starts_with("TLS_"), "{cipher:?}");
    // The server's own certificate names no host.
    options.tls = tls(&Verification::Hostname { ca_pem: ca() });
    let refused = log_in(&tcp(), &options).await;
    assert!(matches!(refused, Err(Error::Tls(_))), "{refused:?}");
    let other_ca = rcgen::generate_simple_self_signed(["other".to_owned()])
        .unwrap()
        .cert
        .pem();
    options.tls = tls(&Verification::Ca {
        ca_pem: other_ca.into_bytes(),
    });
    let refused = log_in(&tcp(), &options).await;
    assert!(matches!(refused, Err(Error::Tls(_))), "{refused:?}");
}

#[tokio::test]
async fn refused_logins_have_mysqls_codes() {
    let options = account("refused").await;
    let wrong = ConnectOptions {
        password: "wrong".into(),
        ..options.clone()
    };
    assert_eq!(code(log_in(&unix(), &wrong).await), 1045);
    let empty = ConnectOptions {
        password: String::new(),
        ..options.clone()
    };
    assert_eq!(code(log_in(&unix(), &empty).await), 1045);
    let nobody = ConnectOptions {
        user: "nobody".into(),
        ..options.clone()
    };
    assert_eq!(code(log_in(&unix(), &nobody).await), 1045);
    let mut as_root = ConnectOptions::new("root", "");
    as_root.database = Some("not_there".into());
    assert_eq!(code(log_in(&unix(), &as_root).await), 1049);
    let forbidden = ConnectOptions {
        database: Some("mysql".into()),
        ..options
    };
    assert_eq!(code(log_in(&unix(), &forbidden).await), 1044);
}

#[tokio::test]
async fn sessions_start_as_asked() {
    let mut options = ConnectOptions::new("root", "");
    drop(root("sessions").await);
    options.database = Some("sessions".into());
    options.attributes = vec![("program_name".into(), "vitrail".into())];
    for (collation, name) in [
        (8, "latin1_swedish_ci"),
        (255, "utf8mb4_0900_ai_ci"),
        (309, "utf8mb4_0900_bin"),
    ] {
        options.collation = collation;
        let mut connection = connect(&unix(), &options).await.unwrap();
        let sql = "SELECT DATABASE(), @@collation_connection, CONNECTION_ID(), VERSION()";
        let session = connection.query(sql).await.unwrap();
        let (id, version) = (
            connection.connection_id().to_string(),
            connection.server_version().to_owned(),
        );
        assert_eq!(
            cells(&session),
            [["sessions", name, id.as_str(), version.as_str()]]
        );
    }
}

#[tokio::test]
async fn change_user_logs_in_again() {
    let first = account("change_from").await;
    let second = account("change_to").await;
    log_in(&unix(), &second).await.unwrap();
    let mut connection = connect(&unix(), &first).await.unwrap();
    connection.query("SET @a = 1").await.unwrap();
    for (user, password) in [("change_to", "sec'ret"), ("change_from", "sec'ret"), ("root", "")] {
        connection
            .change_user(user, password, Some("auth"))
            .await
            .unwrap();
        let session = connection.query("SELECT USER(), DATABASE(), @a").await.unwrap();
        assert_eq!(
            cells(&session),
            [[format!("{user}@localhost"), "auth".into(), "NULL".into()]]
        );
    }
    match connection.change_user("change_to", "wrong", None).await {
        Err(Error::Sql(error)) => assert_eq!(error.code, 1045),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn connecting_to_nobody_fails_in_time() {
    let nowhere = Target::Unix("/nonexistent/s.sock".into());
    assert!(matches!(
        log_in(&nowhere, &ConnectOptions::new("root", "")).await,
        Err(Error::Io(_))
    ));
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = Target::Tcp {
        host: "127.0.0.1".into(),
        port: silent.local_addr().unwrap().port(),
    };
    let mut options = ConnectOptions::new("root", "");
    options.connect_timeout = std::time::Duration::from_millis(50);
    match log_in(&target, &options).await {
        Err(Error::Io(error)) => assert_eq!(error.kind(), std::io::ErrorKind::TimedOut),
        other => panic!("{other:?}"),
    }
}
