//! Names of columns: which instance of which block a reference means.

use sql::ast::ColumnRef;

use super::{Analysis, Inst, InstanceKind, Node};

/// The instances that a block's names may mean, and the blocks around it.
pub(crate) struct Scope<'p> {
    pub(crate) instances: Vec<Inst>,
    /// Columns that USING and NATURAL made one, with the side that supplies the value.
    pub(crate) merged: Vec<(Vec<u8>, Node)>,
    pub(crate) parent: Option<&'p Scope<'p>>,
}

/// Whether an instance has a column.
enum Has {
    Yes(u16),
    No,
    Unknown,
}

impl<'p> Scope<'p> {
    pub(crate) fn new(parent: Option<&'p Scope<'p>>) -> Self {
        Self {
            instances: Vec::new(),
            merged: Vec::new(),
            parent,
        }
    }

    pub(crate) fn owns(&self, node: Node) -> bool {
        self.instances.contains(&node.inst)
    }
}

impl Analysis<'_, '_> {
    /// The column that a name means; None when it is not certain.
    pub(crate) fn resolve(&self, scope: &Scope<'_>, column: &ColumnRef<'_>) -> Option<Node> {
        let name = &*column.column.value;
        let mut scope = Some(scope);
        while let Some(block) = scope {
            match &column.table {
                Some(table) => {
                    let found = block.instances.iter().find(|inst| {
                        self.instance(**inst).is_some_and(|instance| {
                            instance.alias == *table.value && self.in_schema(instance, column.schema.as_ref())
                        })
                    });
                    if let Some(inst) = found {
                        return match self.has(*inst, name) {
                            Has::Yes(col) => Some(Node { inst: *inst, col }),
                            _ => None,
                        };
                    }
                }
                None => match self.resolve_here(block, name) {
                    Has::Yes(index) => return block.candidate(self, name, index),
                    Has::Unknown => return None,
                    Has::No => {}
                },
            }
            scope = block.parent;
        }
        None
    }

    fn in_schema(&self, instance: &super::Instance<'_>, schema: Option<&sql::ast::Ident<'_>>) -> bool {
        let Some(schema) = schema else { return true };
        match instance.kind {
            InstanceKind::Base { keyspace, .. } => self
                .ctx
                .catalog
                .keyspace(keyspace)
                .is_some_and(|keyspace| keyspace.name.as_bytes() == &*schema.value),
            _ => false,
        }
    }

    /// Whether exactly one instance of the block has the column; `Yes` holds the place among the block's instances, or its
    /// length for a merged column.
    fn resolve_here(&self, block: &Scope<'_>, name: &[u8]) -> Has {
        if block
            .merged
            .iter()
            .any(|(merged, _)| merged.eq_ignore_ascii_case(name))
        {
            return Has::Yes(block.instances.len() as u16);
        }
        let mut found = Has::No;
        for (place, inst) in (0..).zip(&block.instances) {
            match (self.has(*inst, name), &found) {
                (Has::No, _) => {}
                (Has::Yes(_), Has::No) => found = Has::Yes(place),
                _ => return Has::Unknown,
            }
        }
        found
    }

    fn has(&self, inst: Inst, name: &[u8]) -> Has {
        let position = match self.instance(inst).map(|instance| &instance.kind) {
            Some(InstanceKind::Base { table, .. }) => match &table.def {
                Some(def) => def
                    .columns
                    .iter()
                    .position(|column| column.name.as_bytes().eq_ignore_ascii_case(name)),
                None => return Has::Unknown,
            },
            Some(InstanceKind::Derived {
                columns: Some(columns),
                ..
            }) => columns
                .iter()
                .position(|column| column.name.eq_ignore_ascii_case(name)),
            Some(InstanceKind::Local {
                columns: Some(columns),
            }) => columns
                .iter()
                .position(|column| column.eq_ignore_ascii_case(name)),
            _ => return Has::Unknown,
        };
        position.map_or(Has::No, |position| Has::Yes(position as u16))
    }

    /// The place of a column in one instance.
    pub(crate) fn column_of(&self, inst: Inst, name: &[u8]) -> Option<Node> {
        match self.has(inst, name) {
            Has::Yes(col) => Some(Node { inst, col }),
            _ => None,
        }
    }

    /// Names of all columns of an instance, invisible ones left out.
    pub(crate) fn column_names(&self, inst: Inst) -> Option<Vec<(Vec<u8>, Node)>> {
        let node = |col: usize| Node {
            inst,
            col: col as u16,
        };
        match &self.instance(inst)?.kind {
            InstanceKind::Base { table, .. } => {
                let columns = table.def.as_ref()?.columns.iter().enumerate();
                let visible = columns.filter(|(_, column)| !column.invisible);
                Some(
                    visible
                        .map(|(col, column)| (column.name.as_bytes().to_vec(), node(col)))
                        .collect(),
                )
            }
            InstanceKind::Derived { columns, .. } => {
                let columns = columns.as_ref()?.iter().enumerate();
                Some(
                    columns
                        .map(|(col, column)| (column.name.clone(), node(col)))
                        .collect(),
                )
            }
            InstanceKind::Local { columns } => {
                let columns = columns.as_ref()?.iter().enumerate();
                Some(columns.map(|(col, name)| (name.clone(), node(col))).collect())
            }
        }
    }
}

impl Scope<'_> {
    fn candidate(&self, analysis: &Analysis<'_, '_>, name: &[u8], place: u16) -> Option<Node> {
        match self.instances.get(usize::from(place)) {
            Some(inst) => analysis.column_of(*inst, name),
            None => self
                .merged
                .iter()
                .find(|(merged, _)| merged.eq_ignore_ascii_case(name))
                .map(|(_, node)| *node),
        }
    }
}
