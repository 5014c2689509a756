//! Plans used with other literals and parameters than those that they were made from.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "golden/catalog.rs"]
mod catalog;

use planner::bindings::Bindings;
use planner::catalog::Catalog;
use planner::coerce::WriteMode;
use planner::context::PlanContext;
use planner::plan::{Plan, PlanNode, SessionValue, Several, Template};
use planner::render::Rendering;
use planner::resolve::{resolve, resolve_insert};
use planner::value::{Charset, Param};
use sql::fingerprint::Fingerprint;
use sql::lexer::LexOptions;

struct Text {
    text: String,
    fingerprint: Fingerprint,
}

impl Text {
    fn new(text: &str) -> Self {
        let mut fingerprint = Fingerprint::new();
        fingerprint.read(text.as_bytes(), LexOptions::default()).unwrap();
        Self {
            text: text.to_owned(),
            fingerprint,
        }
    }

    fn plan(&self, catalog: &Catalog) -> Plan {
        let statement = sql::parser::parse(self.text.as_bytes(), LexOptions::default()).unwrap();
        let ctx = PlanContext {
            catalog,
            keyspace: catalog.find_keyspace("customer"),
            shard: None,
            lex_mode: LexOptions::default().mode,
            charset: Charset::Utf8,
        };
        planner::plan(&statement, self.text.as_bytes(), &self.fingerprint, &ctx).unwrap()
    }

    fn bindings<'b>(&'b self, params: &'b [Param<'b>]) -> Bindings<'b> {
        Bindings {
            text: self.text.as_bytes(),
            fingerprint: &self.fingerprint,
            params,
            lex_mode: LexOptions::default().mode,
            charset: Charset::Utf8,
            user_var: None,
        }
    }

    fn render(&self, template: &Template, params: &[Param<'_>]) -> (String, Vec<u32>) {
        let session = |value: &SessionValue, out: &mut Vec<u8>| {
            out.extend_from_slice(format!("<{value:?}>").as_bytes())
        };
        let rendering = Rendering {
            bindings: self.bindings(params),
            session: &session,
            rows: None,
        };
        let mut out = Vec::new();
        let params = rendering.render(template, &mut out).unwrap();
        (String::from_utf8(out).unwrap(), params.to_vec())
    }
}

fn merge_text(plan: &Plan) -> &Template {
    match &plan.node {
        PlanNode::Route(route) => match &route.several {
            Several::Merge(merge) => &merge.query,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_plan_serves_other_literals() {
    let catalog = catalog::catalog();
    let one = Text::new("select id, database() from users where age = 3 order by name limit 5, 10");
    let other = Text::new("select id, database() from users where age = 12345 order by name limit 100, 7");
    let plan = one.plan(&catalog);
    assert_eq!(one.fingerprint.key(), other.fingerprint.key());
    assert!(plan.accepts(other.text.as_bytes(), &other.fingerprint));
    assert_eq!(
        other.render(merge_text(&plan), &[]).0,
        "select id, <Database> AS `database()`, name, WEIGHT_STRING(name) from users where age = 12345 order by name LIMIT 107"
    );
}

#[test]
fn guards_tell_positions_apart() {
    let catalog = catalog::catalog();
    let one = Text::new("select id, name from users where age = 3 order by 1");
    let plan = one.plan(&catalog);
    let same = Text::new("select id, name from users where age = 4 order by 1");
    let other = Text::new("select id, name from users where age = 3 order by 2");
    assert!(plan.accepts(same.text.as_bytes(), &same.fingerprint));
    assert_eq!(one.fingerprint.key(), other.fingerprint.key());
    assert!(!plan.accepts(other.text.as_bytes(), &other.fingerprint));
    let update = Text::new("update users set id = 5, age = 1 where id = 5").plan(&catalog);
    let moved = Text::new("update users set id = 6, age = 1 where id = 5");
    let kept = Text::new("update users set id = 6, age = 1 where id = 6");
    assert!(!update.accepts(moved.text.as_bytes(), &moved.fingerprint));
    assert!(update.accepts(kept.text.as_bytes(), &kept.fingerprint));
}

#[test]
fn parameters_keep_their_order_through_splices() {
    let catalog = catalog::catalog();
    let text = Text::new("select id from users where age > ? order by age + ? limit ?, ?");
    let plan = text.plan(&catalog);
    let params = [Param::Int(1), Param::Int(2), Param::UInt(3), Param::Int(4)];
    let (rendered, order) = text.render(merge_text(&plan), &params);
    assert_eq!(
        rendered,
        "select id, age + ? from users where age > ? order by age + ? LIMIT 7"
    );
    assert_eq!(order, [1, 0, 1]);
}

#[test]
fn parameters_route_as_what_they_are_bound_to() {
    let catalog = catalog::catalog();
    let text = Text::new("select * from users where id = ?");
    let plan = text.plan(&catalog);
    let PlanNode::Route(route) = &plan.node else {
        panic!("a route")
    };
    let keyspace = catalog.keyspace(route.keyspace).unwrap();
    let shards = |param| resolve(&route.routing, &text.bindings(&[param]), keyspace).len();
    for one in [
        Param::Int(7),
        Param::UInt(7),
        Param::Float(7.0),
        Param::Str(b"7"),
        Param::Decimal(b"7.00"),
        Param::Null,
    ] {
        assert_eq!(shards(one.clone()), 1, "{one:?}");
    }
    for all in [
        Param::Float(7.5),
        Param::Str(b"7x"),
        Param::Blob(b" 7"),
        Param::Other,
    ] {
        assert_eq!(shards(all.clone()), 2, "{all:?}");
    }
}

#[test]
fn rows_split_with_their_parameters() {
    let catalog = catalog::catalog();
    let text = Text::new(
        "insert into users (id, name) values (?, 'a'), ( 4,'b' ) , (5, ?),(4, ?) on duplicate key update name = ?",
    );
    let plan = text.plan(&catalog);
    let PlanNode::Insert(insert) = &plan.node else {
        panic!("an insert")
    };
    let keyspace = catalog.keyspace(insert.keyspace).unwrap();
    let params = [
        Param::Int(1),
        Param::Str(b"x"),
        Param::Str(b"y"),
        Param::Str(b"z"),
    ];
    let bindings = text.bindings(&params);
    let targets = resolve_insert(
        insert,
        &bindings,
        keyspace,
        WriteMode {
            strict: true,
            ..WriteMode::default()
        },
    )
    .unwrap();
    let session = |_: &SessionValue, _: &mut Vec<u8>| {};
    let texts: Vec<(u16, String, Vec<u32>)> = targets
        .iter()
        .map(|target| {
            let rows = Some((&insert.rows, target.rows.as_slice()));
            let mut out = Vec::new();
            let rendering = Rendering {
                bindings,
                session: &session,
                rows,
            };
            let order = rendering
                .render(insert.split.as_ref().unwrap(), &mut out)
                .unwrap();
            (target.shard, String::from_utf8(out).unwrap(), order.to_vec())
        })
        .collect();
    let insert = "insert into users (id, name) values";
    let update = "on duplicate key update name = ?";
    assert_eq!(
        texts,
        [
            (0, format!("{insert} (?, 'a'),(5, ?) {update}"), vec![0, 1, 3]),
            (1, format!("{insert} ( 4,'b' ),(4, ?) {update}"), vec![2, 3]),
        ]
    );
}
