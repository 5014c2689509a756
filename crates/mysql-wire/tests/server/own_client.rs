//! Our server side against our client side: plugins that MySQL 9 no longer has, certificates with names, compression.

use mysql_wire::{
    Error,
    client::{ClientTls, ConnectOptions, Target, Verification, connect},
    compress::Algorithm,
    server::ServerConfig,
    tls,
};

use crate::echo::Echo;

fn run<F: Future>(test: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(test)
}

fn tcp(server: &Echo) -> Target {
    Target::Tcp {
        host: "127.0.0.1".into(),
        port: server.addr.port(),
    }
}

async fn user_and_tls(target: &Target, options: &ConnectOptions) -> Result<(String, bool), Error> {
    let mut connection = connect(target, options).await?;
    let row = connection.query("whoami").await?;
    Ok((
        row.text(0, "user").unwrap().to_owned(),
        row.text(0, "tls").is_some(),
    ))
}

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> u16 {
    match result {
        Err(Error::Sql(error)) => error.code,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_plugin_on_every_transport() {
    let certified = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let (certificate, key) = (
        certified.cert.pem().into_bytes(),
        certified.signing_key.serialize_pem(),
    );
    let config = tls::server_config(&certificate, key.as_bytes()).unwrap();
    let server = Echo::start(ServerConfig {
        tls: Some(config),
        ..ServerConfig::default()
    });
    let hostname = Verification::Hostname { ca_pem: certificate };
    run(async {
        for (user, password) in [("ann", "secret"), ("ned", "secret"), ("ida", "x")] {
            let mut options = ConnectOptions::new(user, password);
            let unix = Target::Unix(server.socket.clone());
            assert_eq!(
                user_and_tls(&unix, &options).await.unwrap(),
                (user.to_owned(), false)
            );
            if user != "ida" {
                assert_eq!(
                    user_and_tls(&tcp(&server), &options).await.unwrap(),
                    (user.to_owned(), false)
                );
            }
            options.tls = Some(ClientTls::new(&hostname).unwrap());
            assert_eq!(
                user_and_tls(&tcp(&server), &options).await.unwrap(),
                (user.to_owned(), true)
            );
            options.tls = Some(
                ClientTls::new(&hostname)
                    .unwrap()
                    .with_server_name("other.example"),
            );
            let other = user_and_tls(&tcp(&server), &options).await;
            assert!(matches!(other, Err(Error::Tls(_))), "{other:?}");
            options.tls = None;
            options.password = "wrong".into();
            assert_eq!(code(user_and_tls(&unix, &options).await), 1045);
        }
        let without_password = ConnectOptions::new("ned", "");
        assert_eq!(code(user_and_tls(&tcp(&server), &without_password).await), 1045);
    });
    let plain = Echo::start(ServerConfig::default());
    let mut options = ConnectOptions::new("ann", "secret");
    options.tls = Some(ClientTls::new(&Verification::None).unwrap());
    assert_eq!(code(run(user_and_tls(&tcp(&plain), &options))), 2026);
}

#[test]
fn compressed_sessions_change_users_and_carry_large_results() {
    let server = Echo::start(ServerConfig::default());
    run(async {
        for algorithm in [Algorithm::Zlib, Algorithm::Zstd { level: 3 }] {
            let mut options = ConnectOptions::new("ann", "secret");
            options.compression = Some(algorithm);
            let mut c = connect(&tcp(&server), &options).await.unwrap();
            for len in [1, 1000, 0xff_ffff, 20_000_000] {
                let big = c.query(format!("big {len}")).await.unwrap();
                assert_eq!(big.text(0, "big").unwrap().len(), len);
                let text = "y".repeat(len);
                assert_eq!(c.query(&text).await.unwrap().text(0, "text"), Some(text.as_str()));
            }
            c.change_user("ned", "secret", Some("shop")).await.unwrap();
            let row = c.query("whoami").await.unwrap();
            assert_eq!(
                (row.text(0, "user"), row.text(0, "db")),
                (Some("ned"), Some("shop"))
            );
            assert_eq!(c.query_all("multi").await.unwrap().len(), 3);
            assert_eq!(code(c.query("fail").await), 1064);
            let none = c.query("infile /etc/hostname").await.unwrap();
            assert_eq!(none.ok.affected_rows, 0);
            c.quit().await.unwrap();
        }
    });
}
