//! Telling whether an idle connection is open, with TLS and without.

use std::io::ErrorKind;

use mysql_wire::{
    client::{ClientTls, ConnectOptions, Target, Verification, connect},
    server::ServerConfig,
};

use crate::echo::Echo;

#[test]
fn an_idle_connection_tells_whether_its_peer_is_there() {
    let server = Echo::with_tls(ServerConfig::default());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        for tls in [None, Some(ClientTls::new(&Verification::None).unwrap())] {
            let target = Target::Tcp {
                host: "127.0.0.1".to_owned(),
                port: server.addr.port(),
            };
            let mut connection = connect(
                &target,
                &ConnectOptions {
                    tls,
                    ..ConnectOptions::new("ann", "secret")
                },
            )
            .await
            .unwrap();
            connection.query("one").await.unwrap();
            let transport = connection.stream().transport_mut();
            let open = transport.try_read(&mut [0]).unwrap_err();
            assert_eq!(open.kind(), ErrorKind::WouldBlock);
            // The server closes on a command that it cannot decode.
            let stream = connection.stream();
            stream.start_command();
            stream.write_packet(&[0x19, 1]);
            stream.flush().await.unwrap();
            let mut len = 0;
            loop {
                let transport = connection.stream().transport_mut();
                transport.readable().await.unwrap();
                match transport.try_read(&mut [0; 100]) {
                    Ok(0) => break,
                    Ok(read) => len += read,
                    Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
                }
            }
            assert!(len > 4, "an error came before the end");
        }
    });
}
