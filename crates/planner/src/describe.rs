//! A plan as JSON, for VEXPLAIN PLAN and golden tests.

use serde_json::{Map, Value as Json, json};

use crate::bindings::Bindings;
use crate::catalog::{Catalog, Keyspace, KeyspaceIndex};
use crate::plan::{
    Accumulate, Aggregate, Col, Fill, Guard, Having, HavingOp, InList, InsertRows, InsertValue, KeyBound,
    Limit, Merge, Operand, Pin, Plan, PlanNode, Pos, Proxy, Routing, SessionRead, SessionValue, Several,
    SortKey, Source, Template,
};

/// Describes a plan with the text and values of one statement that it is for.
pub fn describe(plan: &Plan, catalog: &Catalog, bindings: &Bindings<'_>) -> Json {
    let describer = Describer { catalog, bindings };
    let mut json = Map::new();
    json.insert("Statement".into(), format!("{:?}", plan.kind).into());
    describer.node(&plan.node, &mut json);
    if !plan.guards.slots.is_empty() {
        json.insert(
            "Guards".into(),
            plan.guards
                .slots
                .iter()
                .map(|(slot, guard)| describer.guard(*slot, guard))
                .collect(),
        );
    }
    let effects = effects(plan);
    if !effects.is_empty() {
        json.insert("Effects".into(), effects.into());
    }
    if !plan.tables.is_empty() {
        let tables = plan.tables.iter().map(|table| {
            let written = if table.written { " (written)" } else { "" };
            Json::from(format!(
                "{}.{}{written}",
                describer.keyspace_name(table.keyspace),
                table.table
            ))
        });
        json.insert("Tables".into(), tables.collect());
    }
    if !plan.warnings.is_empty() {
        json.insert(
            "Warnings".into(),
            plan.warnings
                .iter()
                .map(|warning| Json::from(&*warning.message))
                .collect(),
        );
    }
    Json::Object(json)
}

struct Describer<'d> {
    catalog: &'d Catalog,
    bindings: &'d Bindings<'d>,
}

impl Describer<'_> {
    fn keyspace_name(&self, index: KeyspaceIndex) -> &str {
        self.catalog.keyspace(index).map_or("", |keyspace| &keyspace.name)
    }

    fn node(&self, node: &PlanNode, json: &mut Map<String, Json>) {
        match node {
            PlanNode::Route(route) => {
                json.insert("Keyspace".into(), self.keyspace_name(route.keyspace).into());
                json.insert("Routing".into(), self.routing(route.keyspace, &route.routing));
                self.template(json, "Query", &route.query);
                if let Routing::Unsharded | Routing::AnyShard | Routing::Target(_) = route.routing {
                    return;
                }
                match &route.several {
                    Several::Merge(merge) => {
                        json.insert("Merge".into(), self.merge(merge));
                    }
                    Several::Refused(error) => {
                        json.insert(
                            "OnSeveralShards".into(),
                            format!("{}: {}", error.errno, error.message).into(),
                        );
                    }
                    other => {
                        json.insert("OnSeveralShards".into(), format!("{other:?}").into());
                    }
                }
            }
            PlanNode::Insert(insert) => {
                let keyspace = self.catalog.keyspace(insert.keyspace);
                json.insert("Keyspace".into(), self.keyspace_name(insert.keyspace).into());
                let value = |value: &InsertValue| match value {
                    InsertValue::Position(position) => format!("column {position} of each row"),
                    InsertValue::Same(source) => self.source(source),
                };
                let columns = insert
                    .columns
                    .iter()
                    .map(|column| format!("{} = {}", column.column.name, value(&column.value)));
                let columns: Vec<String> = columns.collect();
                json.insert("Routing".into(), json!({"Kind": "Rows", "Vindex": vindex_name(keyspace, insert.vindex), "Values": columns}));
                if let Some(counter) = &insert.auto_increment {
                    json.insert("AutoIncrement".into(), value(counter).into());
                }
                let rows = match &insert.rows {
                    InsertRows::List { width, .. } => format!("list of {width} columns"),
                    InsertRows::Rows(rows) => format!("{} written out", rows.len()),
                };
                json.insert("Rows".into(), rows.into());
                self.template(json, "Query", &insert.query);
                match &insert.split {
                    Some(split) => self.template(json, "Split", split),
                    None => drop(json.insert("OnSeveralShards".into(), "1235".into())),
                }
            }
            PlanNode::Ddl(ddl) => {
                json.insert("Keyspace".into(), self.keyspace_name(ddl.keyspace).into());
                json.insert("Routing".into(), self.routing(ddl.keyspace, &ddl.routing));
                json.insert("Action".into(), format!("{:?}", ddl.action).into());
                self.template(json, "Query", &ddl.query);
            }
        }
    }

    fn routing(&self, keyspace: KeyspaceIndex, routing: &Routing) -> Json {
        let catalog = self.catalog.keyspace(keyspace);
        match routing {
            Routing::Unsharded => json!("Unsharded"),
            Routing::AnyShard => json!("AnyShard"),
            Routing::NoRows => json!("NoRows"),
            Routing::AllShards => json!("AllShards"),
            Routing::Target(shard) => {
                let name = catalog
                    .and_then(|keyspace| keyspace.shard(*shard))
                    .map(ToString::to_string);
                json!({"Kind": "Target", "Shard": name})
            }
            Routing::Equal { vindex, columns } => {
                let values: Vec<String> = columns
                    .iter()
                    .map(|(column, source)| format!("{} = {}", column.name, self.source(source)))
                    .collect();
                json!({"Kind": "Equal", "Vindex": vindex_name(catalog, *vindex), "Values": values})
            }
            Routing::In {
                vindex,
                columns,
                list,
            } => {
                let columns: Vec<String> = columns
                    .iter()
                    .map(|(column, position)| format!("{} = element {position}", column.name))
                    .collect();
                let list = match list {
                    InList::Slot { slot, .. } => self.slot_text(*slot),
                    InList::Items { values, .. } => values
                        .iter()
                        .map(|source| self.source(source))
                        .collect::<Vec<_>>()
                        .join(", "),
                };
                json!({"Kind": "In", "Vindex": vindex_name(catalog, *vindex), "Values": columns, "List": list})
            }
            Routing::Range {
                vindex,
                column,
                from,
                to,
            } => {
                let bound = |bound: &Option<KeyBound>, sign: &str| {
                    let bound = bound.as_ref()?;
                    let equal = if bound.inclusive { "=" } else { "" };
                    Some(format!(
                        "{} {sign}{equal} {}",
                        column.name,
                        self.source(&bound.value)
                    ))
                };
                let values: Vec<String> = [bound(from, ">"), bound(to, "<")].into_iter().flatten().collect();
                json!({"Kind": "Range", "Vindex": vindex_name(catalog, *vindex), "Values": values})
            }
            Routing::Any(parts) => {
                let parts: Vec<Json> = parts.iter().map(|part| self.routing(keyspace, part)).collect();
                json!({"Kind": "Any", "Of": parts})
            }
        }
    }

    fn merge(&self, merge: &Merge) -> Json {
        let mut json = Map::new();
        self.template(&mut json, "Query", &merge.query);
        if merge.hidden > 0 {
            json.insert("Hidden".into(), merge.hidden.into());
        }
        if let Some(Aggregate { keys, columns }) = &merge.aggregate {
            json.insert("GroupBy".into(), keys.iter().map(key).collect());
            let columns = columns.iter().map(|column| {
                let how = match column.how {
                    Accumulate::Average { sum, count } => {
                        format!("Average of {} by {}", col(sum), col(count))
                    }
                    Accumulate::Min { proxy } => format!("Min{}", proxy_text(proxy)),
                    Accumulate::Max { proxy } => format!("Max{}", proxy_text(proxy)),
                    how => format!("{how:?}"),
                };
                format!("{}: {how}", col(column.column))
            });
            json.insert("Aggregates".into(), columns.collect());
        }
        if let Some(having) = &merge.having {
            json.insert("Having".into(), self.having(having).into());
        }
        if let Some(keys) = &merge.distinct {
            json.insert("Distinct".into(), keys.iter().map(key).collect());
        }
        if !merge.order.is_empty() {
            json.insert("OrderBy".into(), merge.order.iter().map(key).collect());
        }
        if let Some(Limit { offset, count }) = &merge.limit {
            let offset = offset
                .as_ref()
                .map(|offset| format!(" offset {}", self.source(offset)));
            json.insert(
                "Limit".into(),
                format!("{}{}", self.source(count), offset.unwrap_or_default()).into(),
            );
        }
        Json::Object(json)
    }

    fn having(&self, having: &Having) -> String {
        let join = |terms: &[Having], word: &str| {
            let terms: Vec<String> = terms.iter().map(|term| self.having(term)).collect();
            format!("({})", terms.join(word))
        };
        let operand = |operand: &Operand| match operand {
            Operand::Column(column) => col(*column),
            Operand::Value(source) => self.source(source),
        };
        match having {
            Having::And(terms) => join(terms, " and "),
            Having::Or(terms) => join(terms, " or "),
            Having::Not(term) => format!("not {}", self.having(term)),
            Having::IsNull(value) => format!("{} is null", operand(value)),
            Having::Compare { left, op, right } => {
                let op = match op {
                    HavingOp::Eq => "=",
                    HavingOp::Ne => "<>",
                    HavingOp::Lt => "<",
                    HavingOp::Le => "<=",
                    HavingOp::Gt => ">",
                    HavingOp::Ge => ">=",
                    HavingOp::NullSafeEq => "<=>",
                };
                format!("{} {op} {}", operand(left), operand(right))
            }
        }
    }

    /// The template with the statement's own literals; what only the execution knows stands in angle brackets.
    fn template(&self, json: &mut Map<String, Json>, name: &str, template: &Template) {
        let mut text = Vec::new();
        let mut at = 0;
        for piece in &template.pieces {
            self.copy(&mut text, at, self.offset(piece.start));
            for fill in &piece.fill {
                match fill {
                    Fill::Text(bytes) => text.extend_from_slice(bytes),
                    Fill::Copy { start, end } => self.copy(&mut text, self.offset(*start), self.offset(*end)),
                    Fill::Session(value) => text.extend_from_slice(session_name(value).as_bytes()),
                    Fill::ShardLimit { offset, count } => {
                        let number = |source: &Source| self.bindings.count(source);
                        let skipped = offset.as_ref().map_or(Some(0), number);
                        let rows = number(count)
                            .zip(skipped)
                            .map(|(count, skipped)| count.saturating_add(skipped));
                        let rows = rows.map_or("<offset + count>".to_owned(), |rows| rows.to_string());
                        text.extend_from_slice(rows.as_bytes());
                    }
                    Fill::Rows => text.extend_from_slice(b"<rows of the shard>"),
                }
            }
            at = self.offset(piece.end);
        }
        self.copy(&mut text, at, self.bindings.text.len());
        json.insert(name.into(), String::from_utf8_lossy(&text).into_owned().into());
    }

    fn offset(&self, pos: Pos) -> usize {
        self.bindings
            .fingerprint
            .offset(pos)
            .map_or(0, |offset| offset as usize)
    }

    fn copy(&self, out: &mut Vec<u8>, start: usize, end: usize) {
        out.extend_from_slice(self.bindings.text.get(start..end).unwrap_or_default());
    }

    fn slot_text(&self, slot: u32) -> String {
        let span = self
            .bindings
            .fingerprint
            .slots()
            .get(slot as usize)
            .map(|slot| slot.span)
            .unwrap_or_default();
        String::from_utf8_lossy(span.of(self.bindings.text)).into_owned()
    }

    fn source(&self, source: &Source) -> String {
        match source {
            Source::Slot(slot) => self.slot_text(*slot),
            Source::Introduced { slot, charset } => format!("_{charset}{}", self.slot_text(*slot)),
            Source::Null => "NULL".to_owned(),
            Source::Int(number) => number.to_string(),
            Source::Text(text) => format!("'{text}'"),
            Source::UserVar(name) => format!("@{name}"),
            Source::Opaque => "<expression>".to_owned(),
            Source::Default => "DEFAULT".to_owned(),
        }
    }

    fn guard(&self, slot: u32, guard: &Guard) -> Json {
        match guard {
            Guard::Exact(text) => format!("#{slot} is {}", String::from_utf8_lossy(text)).into(),
            Guard::EqualTo(other) => format!("#{slot} is as #{other}").into(),
        }
    }
}

fn vindex_name(keyspace: Option<&Keyspace>, vindex: u16) -> Option<&str> {
    keyspace
        .and_then(|keyspace| keyspace.vindex(vindex))
        .map(|vindex| vindex.name())
}

fn session_name(value: &SessionValue) -> &'static str {
    match value {
        SessionValue::LastInsertId => "<last insert id>",
        SessionValue::FoundRows => "<found rows>",
        SessionValue::RowCount => "<row count>",
        SessionValue::ConnectionId => "<connection id>",
        SessionValue::User => "<user>",
        SessionValue::CurrentUser => "<current user>",
        SessionValue::Database => "<database>",
        SessionValue::Autocommit => "<autocommit>",
        SessionValue::WarningCount => "<warning count>",
        SessionValue::ErrorCount => "<error count>",
    }
}

fn col(column: Col) -> String {
    match column {
        Col::Visible(n) => n.to_string(),
        Col::Hidden(n) => format!("hidden {n}"),
    }
}

fn proxy_text(proxy: Option<Proxy>) -> String {
    match proxy {
        None => String::new(),
        Some(Proxy::Weight(column)) => format!(" by weight {}", col(column)),
        Some(Proxy::Number(column)) => format!(" by number {}", col(column)),
    }
}

fn key(key: &SortKey) -> String {
    let direction = if key.descending { " desc" } else { "" };
    format!("{}{}{direction}", col(key.value), proxy_text(key.proxy))
}

fn effects(plan: &Plan) -> Vec<String> {
    let effects = &plan.effects;
    let pins = [
        Pin::TemporaryTable,
        Pin::UserLock,
        Pin::StoredProgram,
        Pin::Handler,
        Pin::LockTables,
        Pin::SqlPrepare,
        Pin::Unparsed,
    ];
    let reads = [
        SessionRead::LastInsertId,
        SessionRead::FoundRows,
        SessionRead::RowCount,
        SessionRead::ConnectionId,
        SessionRead::User,
        SessionRead::CurrentUser,
        SessionRead::Database,
        SessionRead::Autocommit,
        SessionRead::Diagnostics,
    ];
    let pins = pins
        .into_iter()
        .filter(|pin| effects.pins.contains(*pin))
        .map(|pin| format!("pin {pin:?}"));
    let reads = reads
        .into_iter()
        .filter(|read| effects.session_reads.contains(*read))
        .map(|read| format!("read {read:?}"));
    let variables = effects.user_vars_read.iter().map(|name| format!("read @{name}"));
    let assigned = effects
        .user_vars_written
        .iter()
        .map(|name| format!("write @{name}"));
    let flags = [
        (effects.sets_last_insert_id, "set LAST_INSERT_ID"),
        (effects.calc_found_rows, "calculate FOUND_ROWS"),
        (effects.locking_read, "locking read"),
        (effects.not_repeatable, "not repeatable"),
    ];
    let flags = flags
        .into_iter()
        .filter(|(set, _)| *set)
        .map(|(_, name)| name.to_owned());
    pins.chain(reads)
        .chain(variables)
        .chain(assigned)
        .chain(flags)
        .collect()
}
