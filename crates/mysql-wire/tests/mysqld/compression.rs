//! Both kinds of compression.

use mysql_wire::client::ConnectOptions;
use mysql_wire::compress::Algorithm;
use mysql_wire::message::{Command, Query};

use crate::{cells, root_with};

#[tokio::test]
async fn everything_works_compressed() {
    for (algorithm, name) in [(Algorithm::Zlib, "zlib"), (Algorithm::Zstd { level: 5 }, "zstd")] {
        let mut options = ConnectOptions::new("root", "");
        options.compression = Some(algorithm);
        let mut c = root_with("compression", options).await;
        let status = c.query("SHOW STATUS LIKE 'Compression%'").await.unwrap();
        let status = cells(&status);
        assert!(
            status.contains(&vec!["Compression".into(), "ON".into()]),
            "{status:?}"
        );
        assert!(
            status.contains(&vec!["Compression_algorithm".into(), name.into()]),
            "{status:?}"
        );

        // Many flushes in one answer, and content that fills several frames.
        let rows = "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
            SELECT i, REPEAT(CHAR(97 + i % 26), 3000), RANDOM_BYTES(500) FROM n";
        let rows = c.query(rows).await.unwrap();
        assert_eq!(rows.rows.len(), 1000);
        assert_eq!(rows.text(999, "i"), Some("1000"));
        for len in [10, 100, 0xff_ffff, 20_000_000] {
            let text = "z".repeat(len);
            let sent = c
                .query(format!("SELECT LENGTH('{text}'), REPEAT('y', {len})"))
                .await
                .unwrap();
            assert_eq!(sent.rows[0][0].as_deref(), Some(len.to_string().as_bytes()));
            assert_eq!(sent.rows[0][1].as_ref().unwrap().len(), len);
        }
        for i in 0..300 {
            c.queue(&Command::Query(Query::new(
                format!("SELECT {i}, REPEAT('p', 100)").as_bytes(),
            )));
        }
        c.flush().await.unwrap();
        for i in 0..300 {
            let results = c.read_results().await.unwrap();
            assert_eq!(cells(&results[0])[0][0], i.to_string());
        }
        c.change_user("root", "", None).await.unwrap();
        c.ping().await.unwrap();
        c.quit().await.unwrap();
    }
}
