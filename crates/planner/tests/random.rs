//! Random statements: planning never panics, plans fit their own statements, and a plan that accepts another
//! statement's literals is the plan that this other statement would get.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "golden/catalog.rs"]
mod catalog;

use std::sync::LazyLock;

use planner::bindings::Bindings;
use planner::catalog::Catalog;
use planner::coerce::WriteMode;
use planner::context::PlanContext;
use planner::plan::{PlanNode, Several, Template};
use planner::render::Rendering;
use planner::resolve::{resolve, resolve_insert};
use planner::value::Charset;
use planner::{Plan, PlanError};
use proptest::prelude::*;
use proptest::sample::select;
use sql::fingerprint::Fingerprint;
use sql::lexer::LexOptions;

static CATALOG: LazyLock<Catalog> = LazyLock::new(catalog::catalog);

/// A statement with holes for literals, marked by `#`.
fn statement() -> impl Strategy<Value = String> {
    prop_oneof![4 => query(), 1 => write(), 1 => insert()]
}

fn column() -> impl Strategy<Value = String> {
    select(vec![
        "id",
        "u.id",
        "o.user_id",
        "name",
        "user_id",
        "age",
        "o.total",
        "n",
        "kind",
        "score",
        "created",
        "d.id",
        "nope",
        "email",
    ])
    .prop_map(str::to_owned)
}

fn table() -> impl Strategy<Value = String> {
    select(vec![
        "users u",
        "users",
        "orders o",
        "items i",
        "countries c",
        "names",
        "folded",
        "tags",
        "nums",
        "places",
        "fixed",
        "product",
        "(select id, name from users) d",
        "(select user_id id, count(*) n from orders group by user_id) d",
        "(select id from users limit #) d",
        "(select # as id) d",
        "information_schema.tables t",
        "x",
        "json_table('[1]', '$[*]' columns (id int path '$')) d",
    ])
    .prop_map(str::to_owned)
}

fn from() -> impl Strategy<Value = String> {
    let joined = (
        table(),
        select(vec!["join", "left join", "right join", ",", "straight_join"]),
        table(),
        condition(),
    );
    prop_oneof![
        3 => table(),
        2 => joined.prop_map(|(left, join, right, on)| match join {
            "," => format!("{left}, {right}"),
            _ => format!("{left} {join} {right} on {on}"),
        }),
        1 => (table(), table()).prop_map(|(left, right)| format!("{left} join {right} using (id)")),
    ]
}

fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![4 => column(), 2 => Just("#".to_owned()), 1 => Just("null".to_owned()), 1 => Just("@v".to_owned())];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            (inner.clone(), select(vec!["+", "*", "%", "||"]), inner.clone())
                .prop_map(|(l, op, r)| format!("{l} {op} {r}")),
            (
                select(vec![
                    "upper",
                    "abs",
                    "count",
                    "sum",
                    "min",
                    "max",
                    "avg",
                    "f",
                    "any_value",
                    "bit_or"
                ]),
                inner.clone()
            )
                .prop_map(|(f, x)| format!("{f}({x})")),
            inner.clone().prop_map(|x| format!("({x})")),
            inner.clone().prop_map(|x| format!("count(distinct {x})")),
            inner
                .clone()
                .prop_map(|x| format!("row_number() over (partition by {x})")),
            Just("(select count(*) from orders o2 where o2.user_id = u.id)".to_owned()),
            Just("database()".to_owned()),
            Just("count(*)".to_owned()),
        ]
    })
}

fn condition() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        4 => (column(), select(vec!["=", "<", ">=", "<>", "<=>"]), prop_oneof![Just("#".to_owned()), column()])
            .prop_map(|(l, op, r)| format!("{l} {op} {r}")),
        2 => (column(), 1usize..4).prop_map(|(l, n)| format!("{l} in ({})", vec!["#"; n].join(", "))),
        1 => (column(), column()).prop_map(|(l, r)| format!("({l}, {r}) in ((#, #), (#, #))")),
        1 => column().prop_map(|l| format!("{l} between # and #")),
        1 => column().prop_map(|l| format!("{l} in (#, null)")),
        1 => column().prop_map(|l| format!("{l} in (select user_id from orders where total > #)")),
        1 => Just("exists (select 1 from orders o3 where o3.user_id = u.id and o3.id = #)".to_owned()),
        1 => column().prop_map(|l| format!("{l} is null")),
    ];
    leaf.prop_recursive(2, 6, 2, |inner| {
        (inner.clone(), select(vec!["and", "or"]), inner, any::<bool>()).prop_map(|(l, op, r, not)| {
            let not = if not { "not " } else { "" };
            format!("({l} {op} {not}({r}))")
        })
    })
}

fn clause(keyword: &'static str, body: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    proptest::option::of(body)
        .prop_map(move |body| body.map_or(String::new(), |body| format!(" {keyword} {body}")))
}

fn query() -> BoxedStrategy<String> {
    let item = prop_oneof![
        3 => expression(),
        1 => Just("*".to_owned()),
        1 => Just("u.*".to_owned()),
        1 => (expression(), select(vec!["a", "id", "name", "'s'"])).prop_map(|(x, alias)| format!("{x} {alias}")),
    ];
    let items = proptest::collection::vec(item, 1..4).prop_map(|items| items.join(", "));
    let keys = || {
        let key = prop_oneof![2 => expression(), 1 => Just("#".to_owned()), 1 => Just("a desc".to_owned())];
        proptest::collection::vec(key, 1..3).prop_map(|keys| keys.join(", "))
    };
    let having = (expression(), select(vec![">", "="])).prop_map(|(x, op)| format!("{x} {op} #"));
    let limit = prop_oneof![Just("#".to_owned()), Just("# offset #".to_owned())];
    let head = (
        select(vec!["", "distinct ", "sql_calc_found_rows "]),
        items,
        from(),
        clause("where", condition()),
    );
    let tail = (
        clause("group by", keys()),
        clause("having", having),
        clause("order by", keys()),
        clause("limit", limit),
    );
    let select_ = (head, tail)
        .prop_map(
            |((options, items, from, condition), (group, having, order, limit))| {
                format!("select {options}{items} from {from}{condition}{group}{having}{order}{limit}")
            },
        )
        .boxed();
    let simple = (column(), table(), clause("where", condition()))
        .prop_map(|(column, table, condition)| format!("select {column} from {table}{condition}"))
        .boxed();
    let union = (
        simple.clone(),
        select(vec!["union", "union all", "except"]),
        simple,
        select(vec!["", " order by #", " limit #"]),
    )
        .prop_map(|(left, op, right, tail)| format!("{left} {op} {right}{tail}"));
    prop_oneof![5 => select_.clone(), 1 => union, 1 => select_.prop_map(|query| format!("with d as (select id from users) {query}"))]
    .boxed()
}

fn write() -> impl Strategy<Value = String> {
    let value = prop_oneof![Just("#".to_owned()), expression()];
    let update = (
        from(),
        column(),
        value,
        clause("where", condition()),
        clause("limit", Just("#".to_owned())),
    )
        .prop_map(|(from, column, value, condition, limit)| {
            format!("update {from} set {column} = {value}{condition}{limit}")
        });
    let delete = (table(), clause("where", condition()))
        .prop_map(|(table, condition)| format!("delete from {table}{condition}"));
    prop_oneof![update, delete]
}

fn insert() -> impl Strategy<Value = String> {
    let value = prop_oneof![5 => Just("#".to_owned()), 1 => Just("null".to_owned()), 1 => Just("default".to_owned()), 1 => expression()];
    let names = select(vec![
        "users (id, name)",
        "orders (id, user_id)",
        "events (id, user_id)",
        "names",
        "tags",
        "places (region, id)",
        "countries",
        "product (id, sku)",
    ]);
    let row = (value.clone(), value).prop_map(|(one, other)| format!("({one}, {other})"));
    (
        select(vec!["insert into", "replace into", "insert ignore into"]),
        names,
        proptest::collection::vec(row, 1..4),
    )
        .prop_map(|(verb, names, rows)| format!("{verb} {names} values {}", rows.join(", ")))
}

/// Literals for the holes.
fn literal() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (0u32..4).prop_map(|number| number.to_string()),
        1 => any::<i64>().prop_map(|number| number.to_string()),
        1 => select(vec!["'a'", "'1'", "'al''s'", "''", "1.0", "1e0", "0x31", "b'1'", "18446744073709551615", "?"]).prop_map(str::to_owned),
    ]
}

fn fill(template: &str, literals: &[String]) -> String {
    let mut literals = literals.iter().cycle();
    template
        .split('#')
        .enumerate()
        .fold(String::new(), |text, (place, part)| {
            if place == 0 {
                part.to_owned()
            } else {
                format!("{text}{}{part}", literals.next().unwrap())
            }
        })
}

struct Planned {
    text: String,
    fingerprint: Fingerprint,
    plan: Result<Plan, PlanError>,
}

fn plan(text: String) -> Option<Planned> {
    let mut fingerprint = Fingerprint::new();
    fingerprint.read(text.as_bytes(), LexOptions::default()).ok()?;
    let statement = sql::parser::parse(text.as_bytes(), LexOptions::default()).ok()?;
    let ctx = PlanContext {
        catalog: &CATALOG,
        keyspace: CATALOG.find_keyspace("customer"),
        shard: None,
        lex_mode: LexOptions::default().mode,
        charset: Charset::Utf8,
    };
    let plan = planner::plan(&statement, text.as_bytes(), &fingerprint, &ctx);
    Some(Planned {
        text,
        fingerprint,
        plan,
    })
}

/// Uses a plan as the executor would.
fn execute(plan: &Plan, planned: &Planned) {
    let bindings = Bindings {
        text: planned.text.as_bytes(),
        fingerprint: &planned.fingerprint,
        params: &[],
        lex_mode: LexOptions::default().mode,
        charset: Charset::Utf8,
        user_var: None,
    };
    let _ = planner::describe(plan, &CATALOG, &bindings);
    let session = |_: &_, out: &mut Vec<u8>| out.extend_from_slice(b"1");
    let rendering = Rendering {
        bindings,
        session: &session,
        rows: None,
    };
    let render = |template: &Template, limit: bool| {
        let rendered = rendering.render(template, &mut Vec::new());
        // Only a LIMIT that is no number may fail.
        assert!(rendered.is_ok() || limit, "{}", planned.text);
    };
    match &plan.node {
        PlanNode::Route(route) => {
            let keyspace = CATALOG.keyspace(route.keyspace).unwrap();
            let shards = resolve(&route.routing, &bindings, keyspace);
            assert!(
                !shards.is_empty()
                    && shards
                        .iter()
                        .all(|shard| usize::from(*shard) < keyspace.shard_count())
            );
            render(&route.query, false);
            if let Several::Merge(merge) = &route.several {
                render(&merge.query, merge.limit.is_some());
            }
        }
        PlanNode::Insert(insert) => {
            let keyspace = CATALOG.keyspace(insert.keyspace).unwrap();
            render(&insert.query, false);
            if let (Ok(targets), Some(split)) = (
                resolve_insert(insert, &bindings, keyspace, WriteMode::default()),
                &insert.split,
            ) {
                for target in targets {
                    let rows = Some((&insert.rows, target.rows.as_slice()));
                    let mut text = Vec::new();
                    Rendering {
                        bindings,
                        session: &session,
                        rows,
                    }
                    .render(split, &mut text)
                    .unwrap();
                    assert!(sql::parser::parse(&text, LexOptions::default()).is_ok());
                }
            }
        }
        PlanNode::Ddl(ddl) => render(&ddl.query, false),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn plans_hold_for_all_statements_that_they_accept(
        template in statement(),
        one in proptest::collection::vec(literal(), 8),
        other in proptest::collection::vec(literal(), 8),
    ) {
        let Some(first) = plan(fill(&template, &one)) else { return Ok(()) };
        let Ok(known) = &first.plan else { return Ok(()) };
        prop_assert!(known.accepts(first.text.as_bytes(), &first.fingerprint));
        execute(known, &first);
        let Some(second) = plan(fill(&template, &other)) else { return Ok(()) };
        if first.fingerprint.key() != second.fingerprint.key() || !known.accepts(second.text.as_bytes(), &second.fingerprint) {
            return Ok(());
        }
        execute(known, &second);
        match &second.plan {
            Ok(fresh) => {
                prop_assert_eq!(&fresh.node, &known.node, "{} / {}", first.text, second.text);
                prop_assert_eq!(&fresh.effects, &known.effects);
            }
            Err(error) => prop_assert!(false, "{} / {}: {error}", first.text, second.text),
        }
    }
}
