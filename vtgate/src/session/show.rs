//! SHOW: what the gateway knows itself, and where MySQL is asked.

use sql::ast::{Ident, Limit, Show, ShowCreate, ShowFilter, ShowKind};

use super::Session;
use super::answer::{Column, Table};
use super::diagnostics::error_count;
use super::execute::Input;
use super::settings::string_literal;
use crate::error::{self, SqlResult};

/// What to do with a SHOW.
pub(super) enum ShowAction {
    /// The answer.
    Answer(Table),
    /// A shard of this keyspace (by name) answers; none: any shard at all.
    Ask(Option<String>),
}

impl Session {
    /// Decides who answers a SHOW, and answers what the gateway knows.
    pub(super) fn show(&self, show: &Show<'_>, text: &[u8]) -> SqlResult<ShowAction> {
        let schema = |ident: &Option<Ident<'_>>| ident.as_ref().map(name_of);
        check_filter(show, text)?;
        let table = match &show.kind {
            ShowKind::Databases => self.databases(),
            ShowKind::Processlist { full } => self.processlist(*full),
            ShowKind::Warnings => return self.conditions(show, |_| true),
            ShowKind::Errors => return self.conditions(show, |level| level == "Error"),
            ShowKind::CountWarnings => count("@@session.warning_count", self.diagnostics.len()),
            ShowKind::CountErrors => count("@@session.error_count", error_count(&self.diagnostics)),
            ShowKind::Grants => self.grants(),
            ShowKind::Vitrail(what) => self.vitrail(what)?,
            ShowKind::Tables { from, .. }
            | ShowKind::TableStatus(from)
            | ShowKind::OpenTables(from)
            | ShowKind::Triggers(from)
            | ShowKind::Events(from) => {
                let keyspace = schema(from).or_else(|| self.target.database.as_deref().map(str::to_owned));
                return keyspace
                    .map(|name| ShowAction::Ask(Some(name)))
                    .ok_or_else(error::no_database);
            }
            ShowKind::Columns { table, .. }
            | ShowKind::Index(table)
            | ShowKind::Create(ShowCreate::Table | ShowCreate::View, table) => {
                let keyspace = match &table.schema {
                    Some(schema) => Some(name_of(schema)),
                    None => self.keyspace_of_table(&name_of(&table.name))?,
                };
                return Ok(ShowAction::Ask(keyspace));
            }
            // Programs, triggers and events are not tables: without a schema they are the selected keyspace's.
            ShowKind::Create(_, object) => {
                let schema = object.schema.as_ref().map(name_of);
                return Ok(ShowAction::Ask(
                    schema.or_else(|| self.target.database.as_deref().map(str::to_owned)),
                ));
            }
            ShowKind::CreateDatabase(name) => return Ok(ShowAction::Ask(Some(name_of(name)))),
            ShowKind::Other(_) => {
                return Err(error::syntax(sql::error::ParseError::syntax(
                    text,
                    show.span.start as usize,
                )));
            }
            _ => {
                return Ok(ShowAction::Ask(
                    self.target.database.as_deref().map(str::to_owned),
                ));
            }
        };
        let exact = matches!(show.kind, ShowKind::Databases);
        Ok(ShowAction::Answer(like_filter(table, &show.filter, exact)))
    }

    /// The rows that WHERE keeps, by MySQL's own judgement.
    pub(super) async fn kept(
        &mut self,
        mut table: Table,
        filter: &ShowFilter<'_>,
        input: &Input<'_>,
    ) -> SqlResult<Table> {
        let ShowFilter::Where(condition) = filter else {
            return Ok(table);
        };
        let text = where_query(&table, condition.span.of(input.text));
        table.rows = self.evaluate(&text, input).await?.rows;
        Ok(table)
    }

    fn keyspace_of_table(&self, table: &str) -> SqlResult<Option<String>> {
        if self.target.is_system() || self.target.shard.is_some() {
            return Ok(self.target.database.as_deref().map(str::to_owned));
        }
        let cluster = self.worker.cluster();
        let selected = self.selected_keyspace(&cluster);
        let found = cluster
            .catalog
            .find_table(selected, table)
            .map_err(super::planned::plan_error)?;
        let keyspace = found
            .or(selected)
            .and_then(|index| cluster.catalog.keyspace(index));
        match keyspace {
            Some(keyspace) => Ok(Some(keyspace.name.clone())),
            None => Err(error::no_database()),
        }
    }

    fn databases(&self) -> Table {
        let mut table = Table::new(vec![Column::text("Database")]);
        let cluster = self.worker.cluster();
        let mut names: Vec<&str> = cluster
            .catalog
            .keyspaces()
            .iter()
            .map(|keyspace| keyspace.name.as_str())
            .collect();
        names.extend(["information_schema", "performance_schema"]);
        names.sort_unstable();
        for name in names {
            table.row([name]);
        }
        table
    }

    fn processlist(&self, full: bool) -> Table {
        let mut table = Table::new(vec![
            Column::number("Id"),
            Column::text("User"),
            Column::text("Host"),
            Column::text("db"),
            Column::text("Command"),
            Column::number("Time"),
            Column::text("State"),
            Column::text("Info"),
        ]);
        for session in self.worker.shared.sessions.all() {
            let activity = session.activity();
            let info = activity.info.map(|mut info| {
                if !full {
                    info.truncate(100);
                }
                info
            });
            table.rows.push(vec![
                Some(session.id.to_string().into_bytes()),
                Some(session.user().as_bytes().to_vec()),
                Some(session.host.clone().into_bytes()),
                activity.database.map(|name| name.as_bytes().to_vec()),
                Some(activity.command.as_bytes().to_vec()),
                Some(activity.since.elapsed().as_secs().to_string().into_bytes()),
                Some(if info.is_some() {
                    b"executing".to_vec()
                } else {
                    Vec::new()
                }),
                info,
            ]);
        }
        table
    }

    fn conditions(&self, show: &Show<'_>, wanted: impl Fn(&str) -> bool) -> SqlResult<ShowAction> {
        let (skip, take) = limit(show.limit.as_ref())?;
        let mut table = Table::new(vec![
            Column::text("Level"),
            Column::int_unsigned("Code"),
            Column::text("Message"),
        ]);
        let chosen = self
            .diagnostics
            .iter()
            .filter(|condition| wanted(&condition.level))
            .skip(skip)
            .take(take);
        for condition in chosen {
            table.rows.push(vec![
                Some(condition.level.as_bytes().to_vec()),
                Some(condition.code.to_string().into_bytes()),
                Some(condition.message.to_vec()),
            ]);
        }
        Ok(ShowAction::Answer(table))
    }

    fn grants(&self) -> Table {
        let user = self.user();
        let mut table = Table::new(vec![Column::text(&format!("Grants for {user}@%"))]);
        table.row([&format!(
            "GRANT ALL PRIVILEGES ON *.* TO `{}`@`%`",
            user.replace('`', "``")
        )]);
        table
    }

    fn vitrail(&self, what: &Ident<'_>) -> SqlResult<Table> {
        let what = name_of(what).to_ascii_lowercase();
        match what.as_str() {
            "shards" => Ok(self.shards()),
            "tablets" => Ok(self.tablets()),
            "plans" => Ok(self.plans()),
            "pools" => Ok(self.pools()),
            _ => Err(error::unsupported(format_args!(
                "SHOW VITRAIL {}",
                what.to_uppercase()
            ))),
        }
    }

    fn shards(&self) -> Table {
        let mut table = Table::new(vec![
            Column::text("Keyspace"),
            Column::text("Shard"),
            Column::text("Primary"),
            Column::number("Term"),
            Column::number("Replicas"),
        ]);
        let cluster = self.worker.cluster();
        for keyspace in &cluster.keyspaces {
            for shard in &keyspace.shards {
                table.rows.push(vec![
                    Some(keyspace.name.as_bytes().to_vec()),
                    Some(shard.name.as_bytes().to_vec()),
                    shard
                        .primary
                        .as_ref()
                        .map(|target| target.alias.clone().into_bytes()),
                    Some(shard.term.to_string().into_bytes()),
                    Some(shard.replicas.len().to_string().into_bytes()),
                ]);
            }
        }
        table
    }

    fn tablets(&self) -> Table {
        let mut table = Table::new(vec![
            Column::text("Cell"),
            Column::text("Keyspace"),
            Column::text("Shard"),
            Column::text("TabletType"),
            Column::text("State"),
            Column::text("Alias"),
            Column::text("Hostname"),
            Column::number("Term"),
            Column::number("LagMs"),
            Column::text("Reason"),
        ]);
        for tablet in self.worker.cluster().tablets.values() {
            let state = match (tablet.serving, tablet.draining) {
                (true, true) => "DRAINING",
                (true, false) => "SERVING",
                (false, _) => "NOT_SERVING",
            };
            table.rows.push(vec![
                Some(tablet.cell.clone().into_bytes()),
                Some(tablet.keyspace.clone().into_bytes()),
                Some(tablet.shard.clone().into_bytes()),
                Some(tablet.role.as_bytes().to_vec()),
                Some(state.as_bytes().to_vec()),
                Some(tablet.alias.clone().into_bytes()),
                Some(tablet.hostname.clone().into_bytes()),
                Some(tablet.term.to_string().into_bytes()),
                tablet.lag_ms.map(|lag| lag.to_string().into_bytes()),
                Some(tablet.reason.clone().into_bytes()),
            ]);
        }
        table
    }

    /// The plans of this session's worker.
    fn plans(&self) -> Table {
        let mut table = Table::new(vec![Column::text("Query"), Column::text("Plan")]);
        self.worker.plans.borrow().for_each(|key, planned| {
            let key: Vec<u8> = key
                .iter()
                .map(|byte| if *byte < b' ' { b'?' } else { *byte })
                .collect();
            table
                .rows
                .push(vec![Some(key), Some(planned.describe().into_bytes())]);
        });
        table
    }

    fn pools(&self) -> Table {
        let mut table = Table::new(vec![
            Column::text("Tablet"),
            Column::number("Connections"),
            Column::number("Idle"),
        ]);
        for pool in self.worker.pools() {
            let (open, idle) = pool.usage();
            table.row([&pool.target.alias, &open.to_string(), &idle.to_string()]);
        }
        table
    }
}

fn name_of(ident: &Ident<'_>) -> String {
    String::from_utf8_lossy(&ident.value).into_owned()
}

fn count(name: &str, count: usize) -> Table {
    let mut table = Table::new(vec![Column::unsigned(name)]);
    table.row([&count.to_string()]);
    table
}

/// LIMIT as rows to skip and rows to take.
fn limit(limit: Option<&Limit<'_>>) -> SqlResult<(usize, usize)> {
    let number = |expr: &sql::ast::Expr<'_>| match &expr.kind {
        sql::ast::ExprKind::Literal(literal) => std::str::from_utf8(literal.raw)
            .ok()
            .and_then(|text| text.parse::<usize>().ok())
            .ok_or_else(|| error::unsupported("this LIMIT")),
        _ => Err(error::unsupported("LIMIT by an expression in SHOW")),
    };
    let Some(limit) = limit else {
        return Ok((0, usize::MAX));
    };
    let skip = limit.offset.as_ref().map(number).transpose()?.unwrap_or(0);
    Ok((skip, number(&limit.count)?))
}

/// LIKE and WHERE are syntax errors after the SHOW statements that have neither.
fn check_filter(show: &Show<'_>, text: &[u8]) -> SqlResult<()> {
    let takes_none = matches!(
        show.kind,
        ShowKind::Processlist { .. }
            | ShowKind::Warnings
            | ShowKind::Errors
            | ShowKind::CountWarnings
            | ShowKind::CountErrors
            | ShowKind::Grants
    );
    let (word, end) = match &show.filter {
        ShowFilter::Like(pattern) if takes_none => ("LIKE", pattern.span.start),
        ShowFilter::Where(condition) if takes_none => ("WHERE", condition.span.start),
        _ => return Ok(()),
    };
    let before = String::from_utf8_lossy(text.get(..end as usize).unwrap_or_default()).to_ascii_uppercase();
    let at = before.rfind(word).unwrap_or(0);
    Err(error::syntax(sql::error::ParseError::syntax(text, at)))
}

/// LIKE on the first column; names of databases are compared byte by byte, others without case.
fn like_filter(mut table: Table, filter: &ShowFilter<'_>, exact: bool) -> Table {
    let ShowFilter::Like(pattern) = filter else {
        return table;
    };
    let pattern = pattern
        .raw
        .get(1..pattern.raw.len().saturating_sub(1))
        .unwrap_or_default();
    let fold = |text: &[u8]| {
        if exact {
            text.to_vec()
        } else {
            text.to_ascii_lowercase()
        }
    };
    let folded = fold(pattern);
    table.rows.retain(|row| {
        let first = row.first().and_then(Option::as_deref).unwrap_or_default();
        like(&folded, &fold(first))
    });
    if let Some(first) = table
        .columns
        .first_mut()
        .filter(|column| column.name == "Database")
    {
        first.name = format!("Database ({})", String::from_utf8_lossy(pattern));
    }
    table
}

/// A SELECT of the table's rows under a condition. MySQL names its own table of databases SCHEMATA there.
fn where_query(table: &Table, condition: &[u8]) -> Vec<u8> {
    let mut text = b"SELECT * FROM (SELECT ".to_vec();
    let names = table.columns.iter().map(|column| column.name.replace('`', "``"));
    let names: Vec<String> = names.map(|name| format!("NULL AS `{name}`")).collect();
    text.extend_from_slice(names.join(",").as_bytes());
    text.extend_from_slice(b" FROM DUAL WHERE FALSE");
    for row in &table.rows {
        text.extend_from_slice(b" UNION ALL SELECT ");
        for (n, (column, cell)) in table.columns.iter().zip(row).enumerate() {
            if n > 0 {
                text.push(b',');
            }
            match cell {
                None => text.extend_from_slice(b"NULL"),
                Some(digits) if column.number => text.extend_from_slice(digits),
                Some(bytes) => {
                    text.extend_from_slice(b"CONVERT(");
                    text.extend_from_slice(&string_literal(bytes));
                    text.extend_from_slice(b" USING utf8mb4) COLLATE utf8mb4_bin");
                }
            }
        }
    }
    text.extend_from_slice(b") AS SCHEMATA WHERE (");
    text.extend_from_slice(condition);
    text.push(b')');
    text
}

/// MySQL's LIKE over bytes: `%`, `_` and `\` as escape.
fn like(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    loop {
        let matched = match pattern.get(p) {
            Some(b'%') => {
                star = Some((p + 1, t));
                p += 1;
                continue;
            }
            None if t == text.len() => return true,
            None => false,
            Some(b'_') if t < text.len() => {
                p += 1;
                true
            }
            Some(b'\\') if pattern.get(p + 1).is_some() && pattern.get(p + 1) == text.get(t) => {
                p += 2;
                true
            }
            Some(byte) if text.get(t) == Some(byte) => {
                p += 1;
                true
            }
            Some(_) => false,
        };
        if matched {
            t += 1;
            continue;
        }
        match star {
            Some((after, from)) if from < text.len() => {
                star = Some((after, from + 1));
                (p, t) = (after, from + 1);
            }
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::like;

    #[test]
    fn like_matches_as_mysql_does() {
        for (pattern, text, expected) in [
            ("%", "", true),
            ("a%", "abc", true),
            ("%c", "abc", true),
            ("a%b%c", "aXbYbZc", true),
            ("a_c", "abc", true),
            ("a_c", "ac", false),
            ("a\\%", "a%", true),
            ("a\\%", "ab", false),
            ("", "a", false),
            ("%a%a", "ba", false),
        ] {
            assert_eq!(
                like(pattern.as_bytes(), text.as_bytes()),
                expected,
                "{text} LIKE {pattern}"
            );
        }
    }
}
