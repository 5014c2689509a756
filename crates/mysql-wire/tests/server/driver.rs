//! mysql_async.

use mysql_async::{ChangeUserOpts, Compression, Conn, Opts, OptsBuilder, Row, SslOpts, prelude::Queryable};
use mysql_wire::server::ServerConfig;

use crate::echo::Echo;

fn run<F: Future>(test: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(test)
}

fn options(server: &Echo, user: &str) -> OptsBuilder {
    OptsBuilder::default()
        .ip_or_hostname("127.0.0.1")
        .tcp_port(server.addr.port())
        .user(Some(user))
        .pass(Some("secret"))
        .prefer_socket(Some(false))
        // Without them the driver asks the server for its limits by a statement first.
        .max_allowed_packet(Some(64 << 20))
        .wait_timeout(Some(3600))
}

fn tls() -> Option<SslOpts> {
    Some(
        SslOpts::default()
            .with_danger_accept_invalid_certs(true)
            .with_danger_skip_domain_validation(true),
    )
}

async fn connect(options: impl Into<Opts>) -> Conn {
    Conn::new(options).await.unwrap()
}

#[test]
fn both_plugins_with_and_without_tls() {
    let server = Echo::with_tls(ServerConfig::default());
    run(async {
        for user in ["ann", "ned"] {
            for ssl in [None, tls()] {
                let secured = ssl.is_some();
                let mut conn = connect(options(&server, user).ssl_opts(ssl)).await;
                let row: Row = conn.query_first("whoami").await.unwrap().unwrap();
                assert_eq!(row.get::<String, _>("user").unwrap(), user);
                assert_eq!(row.get::<Option<String>, _>("tls").unwrap().is_some(), secured);
                conn.ping().await.unwrap();
                conn.disconnect().await.unwrap();
            }
            let error = Conn::new(options(&server, user).pass(Some("wrong")))
                .await
                .unwrap_err();
            assert!(error.to_string().contains("Access denied"), "{error}");
        }
    });
}

#[test]
fn users_change_on_an_open_connection() {
    let server = Echo::start(ServerConfig::default());
    run(async {
        let whoami = async |conn: &mut Conn| conn.query_first::<Row, _>("whoami").await.unwrap().unwrap();
        let mut conn = connect(options(&server, "ann").compression(Compression::fast())).await;
        let to = |user: &str| {
            ChangeUserOpts::new()
                .with_user(Some(user.to_owned()))
                .with_pass(Some("secret".to_owned()))
        };
        conn.change_user(to("ned").with_db_name(Some("shop".to_owned())))
            .await
            .unwrap();
        let row = whoami(&mut conn).await;
        assert_eq!(row.get::<String, _>("user").unwrap(), "ned");
        assert_eq!(row.get::<String, _>("db").unwrap(), "shop");
        conn.change_user(to("ann")).await.unwrap();
        assert_eq!(whoami(&mut conn).await.get::<String, _>("user").unwrap(), "ann");
        conn.reset().await.unwrap();
        assert!(conn.change_user(to("nobody")).await.is_err());
        assert!(conn.ping().await.is_err(), "the connection is closed");
    });
}

#[test]
fn prepared_statements_and_several_results() {
    let server = Echo::start(ServerConfig::default());
    run(async {
        let mut conn = connect(options(&server, "ann")).await;
        let value: Vec<u8> = conn.exec_first("select ?", ("abc",)).await.unwrap().unwrap();
        assert_eq!(value, b"\x03abc");
        let value: Option<Vec<u8>> = conn
            .exec_first("select ?", (None::<i32>,))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(value, None);
        let value: Vec<u8> = conn
            .exec_first("select ?, ?", (1u64, 2.5f64))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(value, [&1u64.to_le_bytes()[..], &2.5f64.to_le_bytes()].concat());
        let mut results = conn.query_iter("multi").await.unwrap();
        assert_eq!(results.collect::<String>().await.unwrap(), ["one"]);
        assert_eq!(results.collect::<String>().await.unwrap(), ["two"]);
        drop(results);
        conn.query_drop("insert").await.unwrap();
        assert_eq!((conn.affected_rows(), conn.last_insert_id()), (3, Some(70_000)));
        let error = conn.query_drop("fail").await.unwrap_err();
        assert!(error.to_string().contains("42000"), "{error}");
        let big: Vec<u8> = conn.query_first("big 33554427").await.unwrap().unwrap();
        assert_eq!(big.len(), 33_554_427);
    });
}
