//! Plans of `testdata/*.txt`. A case is the statement, a line `----`, and the plan (or the error); cases are separated by
//! lines `====`. A line `@use keyspace[:shard]` before the statement selects. `UPDATE_EXPECT=1` writes what is planned.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod catalog;

use std::fmt::Write as _;
use std::path::PathBuf;

use planner::bindings::Bindings;
use planner::catalog::Catalog;
use planner::coerce::WriteMode;
use planner::context::PlanContext;
use planner::plan::PlanNode;
use planner::resolve::{resolve, resolve_insert};
use planner::value::Charset;
use sql::fingerprint::Fingerprint;
use sql::lexer::LexOptions;

fn plan(catalog: &Catalog, use_line: &str, sql: &str) -> String {
    let (keyspace, shard) = use_line.split_once(':').unwrap_or((use_line, ""));
    let index = catalog.find_keyspace(keyspace);
    let shards = index
        .and_then(|index| catalog.keyspace(index))
        .map(|keyspace| keyspace.shards.ranges());
    let shard = shards.and_then(|shards| shards.iter().position(|range| range.to_string() == shard));
    let ctx = PlanContext {
        catalog,
        keyspace: index,
        shard: shard.map(|shard| shard as u16),
        lex_mode: LexOptions::default().mode,
        charset: Charset::Utf8,
    };
    let text = sql.as_bytes();
    let mut fingerprint = Fingerprint::new();
    fingerprint
        .read(text, LexOptions::default())
        .expect("a readable statement");
    let statement = match sql::parser::parse(text, LexOptions::default()) {
        Ok(statement) => statement,
        Err(error) => return format!("parse error: {error}\n"),
    };
    let plan = match planner::plan(&statement, text, &fingerprint, &ctx) {
        Ok(plan) => plan,
        Err(error) => {
            let place = error.span.map_or(String::new(), |(start, end)| {
                format!(" at `{}`", &sql[start as usize..end as usize])
            });
            return format!(
                "error {} ({}): {}{place}\n",
                error.errno, error.sqlstate, error.message
            );
        }
    };
    assert!(
        plan.accepts(text, &fingerprint),
        "a plan accepts its own statement"
    );
    let bindings = Bindings {
        text,
        fingerprint: &fingerprint,
        params: &[],
        lex_mode: ctx.lex_mode,
        charset: ctx.charset,
        user_var: None,
    };
    let mut json = planner::describe(&plan, catalog, &bindings);
    json["Shards"] = shards_of(&plan.node, catalog, &bindings);
    let mut out = String::new();
    print(&mut out, "", &json, sql);
    out
}

/// One line for each entry; texts that are the statement's own are left out.
fn print(out: &mut String, prefix: &str, json: &serde_json::Value, sql: &str) {
    for (name, value) in json.as_object().unwrap() {
        match value {
            serde_json::Value::String(text) if text == sql => writeln!(out, "{prefix}{name}: as is").unwrap(),
            serde_json::Value::String(text) => writeln!(out, "{prefix}{name}: {text}").unwrap(),
            serde_json::Value::Object(_) if name == "Merge" => print(out, "Merge.", value, sql),
            other => writeln!(out, "{prefix}{name}: {other}").unwrap(),
        }
    }
}

fn shards_of(node: &PlanNode, catalog: &Catalog, bindings: &Bindings<'_>) -> serde_json::Value {
    let (index, routing) = match node {
        PlanNode::Route(route) => (route.keyspace, &route.routing),
        PlanNode::Ddl(ddl) => (ddl.keyspace, &ddl.routing),
        PlanNode::Insert(insert) => {
            let keyspace = catalog.keyspace(insert.keyspace).unwrap();
            let mode = WriteMode {
                strict: true,
                ..WriteMode::default()
            };
            return match resolve_insert(insert, bindings, keyspace, mode) {
                Ok(targets) => targets
                    .iter()
                    .map(|target| {
                        format!(
                            "{}: rows {:?}",
                            keyspace.shard(target.shard).unwrap(),
                            target.rows
                        )
                    })
                    .collect(),
                Err(error) => format!("error {}: {}", error.errno, error.message).into(),
            };
        }
    };
    let keyspace = catalog.keyspace(index).unwrap();
    let shards = resolve(routing, bindings, keyspace);
    shards
        .iter()
        .map(|shard| keyspace.shard(*shard).unwrap().to_string())
        .collect()
}

fn run(file: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("testdata")
        .join(file);
    let expected = std::fs::read_to_string(&path).unwrap();
    let catalog = catalog::catalog();
    let mut actual = String::new();
    for case in expected
        .split("====\n")
        .map(str::trim_start)
        .filter(|case| !case.is_empty())
    {
        let (head, _) = case.split_once("----\n").unwrap_or((case.trim_end(), ""));
        let comment: String = head
            .lines()
            .filter(|line| line.starts_with('#'))
            .map(|line| format!("{line}\n"))
            .collect();
        let selected = head.lines().find_map(|line| line.strip_prefix("@use "));
        let sql: Vec<&str> = head
            .lines()
            .filter(|line| !line.starts_with('#') && !line.starts_with("@use "))
            .collect();
        let sql = sql.join("\n");
        actual.push_str(&comment);
        if let Some(selected) = selected {
            writeln!(actual, "@use {selected}").unwrap();
        }
        let selected = selected.unwrap_or("customer");
        writeln!(actual, "{sql}\n----\n{}====", plan(&catalog, selected, &sql)).unwrap();
    }
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, actual).unwrap();
        return;
    }
    if actual != expected {
        let line = actual
            .lines()
            .zip(expected.lines())
            .position(|(one, other)| one != other);
        panic!(
            "{file}: plans differ first at line {:?}; run with UPDATE_EXPECT=1 and look at the diff",
            line.map(|line| line + 1)
        );
    }
}

macro_rules! files {
    ($($name:ident),* $(,)?) => {
        $(#[test]
        fn $name() {
            run(concat!(stringify!($name), ".txt"));
        })*

        #[test]
        fn every_file_is_run() {
            let known = [$(concat!(stringify!($name), ".txt")),*];
            let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata");
            for entry in std::fs::read_dir(folder).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                assert!(known.contains(&name.as_str()), "{name} is not run");
            }
        }
    };
}

files!(ddl, group, insert, joins, order, other, routing, write);
