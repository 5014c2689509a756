//! Planning on a miss, and accepting and resolving on a hit of the plan cache.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a benchmark"
)]

#[path = "../tests/golden/catalog.rs"]
mod catalog;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use planner::bindings::Bindings;
use planner::context::PlanContext;
use planner::plan::PlanNode;
use planner::resolve::resolve;
use planner::value::Charset;
use sql::fingerprint::Fingerprint;
use sql::lexer::LexOptions;

const POINT_SELECT: &str = "SELECT email FROM users WHERE id=500834";
const STRING_SELECT: &str = "SELECT n FROM names WHERE name='somebody'";
const JOIN: &str = "SELECT u.name, COUNT(*) c, SUM(o.total) FROM users u JOIN orders o ON o.user_id = u.id \
     WHERE u.age > 18 GROUP BY u.name HAVING c > 3 ORDER BY 3 DESC LIMIT 10";

fn bench(criterion: &mut Criterion) {
    let catalog = catalog::catalog();
    let options = LexOptions::default();
    let ctx = PlanContext {
        catalog: &catalog,
        keyspace: catalog.find_keyspace("customer"),
        shard: None,
        lex_mode: options.mode,
        charset: Charset::Utf8,
    };
    for (name, sql) in [("point select", POINT_SELECT), ("join with groups", JOIN)] {
        let text = sql.as_bytes();
        let mut fingerprint = Fingerprint::new();
        criterion.bench_function(&format!("miss: fingerprint, parse and plan, {name}"), |bencher| {
            bencher.iter(|| {
                fingerprint.read(black_box(text), options).unwrap();
                let statement = sql::parser::parse(text, options).unwrap();
                planner::plan(&statement, text, &fingerprint, &ctx).unwrap()
            });
        });
        let statement = sql::parser::parse(text, options).unwrap();
        criterion.bench_function(&format!("miss: plan alone, {name}"), |bencher| {
            bencher.iter(|| planner::plan(black_box(&statement), text, &fingerprint, &ctx).unwrap());
        });
    }
    for (name, sql) in [
        ("integer by hash", POINT_SELECT),
        ("string by xxhash", STRING_SELECT),
    ] {
        let text = sql.as_bytes();
        let mut fingerprint = Fingerprint::new();
        fingerprint.read(text, options).unwrap();
        let statement = sql::parser::parse(text, options).unwrap();
        let plan = planner::plan(&statement, text, &fingerprint, &ctx).unwrap();
        let PlanNode::Route(route) = &plan.node else {
            panic!("a route")
        };
        let keyspace = catalog.keyspace(route.keyspace).unwrap();
        let bindings = Bindings {
            text,
            fingerprint: &fingerprint,
            params: &[],
            lex_mode: options.mode,
            charset: Charset::Utf8,
            user_var: None,
        };
        criterion.bench_function(&format!("hit: accept and resolve, {name}"), |bencher| {
            bencher.iter(|| {
                assert!(plan.accepts(black_box(text), &fingerprint));
                resolve(black_box(&route.routing), &bindings, keyspace)
            });
        });
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
