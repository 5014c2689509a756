//! Decodes the document from JSON and YAML.

use serde_json::Value;

use super::reader::{DocumentError, Errors, Node};
use super::{
    AutoIncrementSpec, ColumnSpec, ColumnVindexSpec, ForeignKeyMode, MultiTenantSpec, TableSpec, VSchema,
    VindexSpec,
};

impl VSchema {
    /// Reads a document in JSON.
    ///
    /// # Errors
    /// All places that do not fit, unknown fields among them.
    pub fn from_json(text: &str) -> Result<Self, Vec<DocumentError>> {
        let value = serde_json::from_str(text)
            .map_err(|error| vec![DocumentError::new("", format!("not JSON: {error}"))])?;
        Self::from_value(&value)
    }

    /// Reads a document in YAML, of which JSON is a part.
    ///
    /// # Errors
    /// All places that do not fit, unknown fields among them.
    pub fn from_yaml(text: &str) -> Result<Self, Vec<DocumentError>> {
        let value = serde_saphyr::from_str(text)
            .map_err(|error| vec![DocumentError::new("", format!("not YAML: {error}"))])?;
        Self::from_value(&value)
    }

    /// Reads a document that is part of another one, as in a manifest.
    ///
    /// # Errors
    /// All places that do not fit, unknown fields among them; paths begin at the vschema.
    pub fn from_value(value: &Value) -> Result<Self, Vec<DocumentError>> {
        let errors = Errors::default();
        let vschema = keyspace(&Node::root(value, &errors));
        match errors.into_inner() {
            errors if errors.is_empty() => Ok(vschema),
            errors => Err(errors),
        }
    }
}

fn keyspace(node: &Node<'_>) -> VSchema {
    let Some(mut fields) = node.fields() else {
        return VSchema::default();
    };
    let vschema = VSchema {
        sharded: fields.get("sharded").map(Node::boolean).unwrap_or_default(),
        vindexes: fields
            .get("vindexes")
            .map(|node| node.entries(vindex))
            .unwrap_or_default(),
        tables: fields
            .get("tables")
            .map(|node| node.entries(table))
            .unwrap_or_default(),
        require_explicit_routing: fields
            .get("require_explicit_routing")
            .map(Node::boolean)
            .unwrap_or_default(),
        foreign_key_mode: fields
            .get("foreign_key_mode")
            .map(foreign_key_mode)
            .unwrap_or_default(),
        multi_tenant_spec: fields.get("multi_tenant_spec").map(multi_tenant_spec),
        prevent_cross_keyspace_reads: fields
            .get("prevent_cross_keyspace_reads")
            .map(Node::boolean)
            .unwrap_or_default(),
    };
    fields.finish();
    vschema
}

fn foreign_key_mode(node: Node<'_>) -> ForeignKeyMode {
    use ForeignKeyMode as Mode;
    match node.enum_number() {
        Some(0) => return Mode::Unspecified,
        Some(1) => return Mode::Disallow,
        Some(2) => return Mode::Unmanaged,
        Some(3) => return Mode::Managed,
        _ => {}
    }
    match node.clone().string().as_str() {
        "unspecified" | "" => Mode::Unspecified,
        "disallow" => Mode::Disallow,
        "unmanaged" => Mode::Unmanaged,
        "managed" => Mode::Managed,
        other => {
            node.error(format!(
                "\"{other}\" is none of unspecified, disallow, unmanaged, managed"
            ));
            Mode::Unspecified
        }
    }
}

fn multi_tenant_spec(node: Node<'_>) -> MultiTenantSpec {
    let Some(mut fields) = node.fields() else {
        return MultiTenantSpec::default();
    };
    let spec = MultiTenantSpec {
        tenant_id_column_name: fields
            .get("tenant_id_column_name")
            .map(Node::string)
            .unwrap_or_default(),
        tenant_id_column_type: fields
            .get("tenant_id_column_type")
            .map(Node::param)
            .unwrap_or_default(),
    };
    fields.finish();
    spec
}

fn vindex(node: Node<'_>) -> VindexSpec {
    let Some(mut fields) = node.fields() else {
        return VindexSpec::default();
    };
    let spec = VindexSpec {
        kind: fields.get("type").map(Node::string).unwrap_or_default(),
        params: fields
            .get("params")
            .map(|node| node.entries(Node::param))
            .unwrap_or_default(),
        owner: fields.get("owner").map(Node::string).unwrap_or_default(),
    };
    fields.finish();
    spec
}

fn table(node: Node<'_>) -> TableSpec {
    let Some(mut fields) = node.fields() else {
        return TableSpec::default();
    };
    let spec = TableSpec {
        kind: fields.get("type").map(Node::string).unwrap_or_default(),
        column_vindexes: fields
            .get("column_vindexes")
            .map(|node| node.list(column_vindex))
            .unwrap_or_default(),
        auto_increment: fields.get("auto_increment").map(auto_increment),
        columns: fields
            .get("columns")
            .map(|node| node.list(column))
            .unwrap_or_default(),
        pinned: fields.get("pinned").map(Node::string).unwrap_or_default(),
        column_list_authoritative: fields
            .get("column_list_authoritative")
            .map(Node::boolean)
            .unwrap_or_default(),
        source: fields.get("source").map(Node::string).unwrap_or_default(),
    };
    fields.finish();
    spec
}

fn column_vindex(node: Node<'_>) -> ColumnVindexSpec {
    let Some(mut fields) = node.fields() else {
        return ColumnVindexSpec::default();
    };
    let single = fields
        .get("column")
        .map(Node::string)
        .filter(|column| !column.is_empty());
    let several = fields
        .get("columns")
        .map(|node| node.list(Node::string))
        .unwrap_or_default();
    let columns = match (single, several.is_empty()) {
        (Some(_), false) => {
            node.error("takes column or columns, not both");
            several
        }
        (Some(column), true) => vec![column],
        (None, _) => several,
    };
    let spec = ColumnVindexSpec {
        columns,
        name: fields.get("name").map(Node::string).unwrap_or_default(),
    };
    fields.finish();
    spec
}

fn auto_increment(node: Node<'_>) -> AutoIncrementSpec {
    let Some(mut fields) = node.fields() else {
        return AutoIncrementSpec::default();
    };
    let spec = AutoIncrementSpec {
        column: fields.get("column").map(Node::string).unwrap_or_default(),
        sequence: fields.get("sequence").map(Node::string).unwrap_or_default(),
    };
    fields.finish();
    spec
}

fn column(node: Node<'_>) -> ColumnSpec {
    let Some(mut fields) = node.fields() else {
        return ColumnSpec::default();
    };
    let spec = ColumnSpec {
        name: fields.get("name").map(Node::string).unwrap_or_default(),
        kind: fields.get("type").map(Node::param).unwrap_or_default(),
        invisible: fields.get("invisible").map(Node::boolean).unwrap_or_default(),
        default: fields.get("default").map(Node::param).unwrap_or_default(),
        collation_name: fields.get("collation_name").map(Node::string).unwrap_or_default(),
        size: fields.get("size").map(Node::int32).unwrap_or_default(),
        scale: fields.get("scale").map(Node::int32).unwrap_or_default(),
        nullable: fields.get("nullable").map(Node::boolean),
        values: fields
            .get("values")
            .map(|node| node.list(Node::string))
            .unwrap_or_default(),
    };
    fields.finish();
    spec
}
