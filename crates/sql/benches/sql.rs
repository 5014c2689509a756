//! What reading a statement costs: the fingerprint (every statement) and the parser (plan cache misses).

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use sql::fingerprint::Fingerprint;
use sql::lexer::LexOptions;

/// The statements of sysbench's oltp scripts, and a join.
const STATEMENTS: [(&str, &str); 8] = [
    ("point_select", "SELECT c FROM sbtest1 WHERE id=12345"),
    ("range", "SELECT c FROM sbtest1 WHERE id BETWEEN 4990 AND 5089"),
    (
        "order_range",
        "SELECT DISTINCT c FROM sbtest1 WHERE id BETWEEN 4990 AND 5089 ORDER BY c",
    ),
    (
        "sum_range",
        "SELECT SUM(k) FROM sbtest1 WHERE id BETWEEN 4990 AND 5089",
    ),
    ("index_update", "UPDATE sbtest1 SET k=k+1 WHERE id=5010"),
    (
        "non_index_update",
        "UPDATE sbtest1 SET c='31451373586-15688153734-79729593694-96509299839-83724898275-86711833539-78981337422-35049690573-51724173961-87474696253' WHERE id=5010",
    ),
    (
        "insert",
        "INSERT INTO sbtest1 (id, k, c, pad) VALUES (5010, 4992, '31451373586-15688153734-79729593694-96509299839-83724898275-86711833539-78981337422-35049690573-51724173961-87474696253', '98996621624-36689827414-04092488557-09587706818-65008859162')",
    ),
    (
        "join",
        "SELECT o.id, o.total, c.name FROM orders AS o JOIN customers c ON c.id = o.customer_id LEFT JOIN items i ON i.order_id = o.id WHERE o.customer_id = 42 AND o.created >= '2026-01-01' AND i.sku IN ('a', 'b', 'c') GROUP BY o.id HAVING COUNT(*) > 1 ORDER BY o.created DESC LIMIT 10",
    ),
];

fn fingerprint(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fingerprint");
    let mut scratch = Fingerprint::new();
    for (name, text) in STATEMENTS {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let read = scratch.read(black_box(text.as_bytes()), LexOptions::default());
                black_box(read.is_ok());
                black_box(scratch.hash())
            });
        });
    }
    group.finish();
}

fn parse(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("parse");
    for (name, text) in STATEMENTS {
        group.bench_function(name, |bencher| {
            bencher.iter(|| sql::parser::parse(black_box(text.as_bytes()), LexOptions::default()).is_ok());
        });
    }
    group.finish();
}

criterion_group!(benches, fingerprint, parse);
criterion_main!(benches);
