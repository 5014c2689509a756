//! What `SET` may change, and how each variable is handled. Pure.

/// How a session system variable is handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Handling {
    /// Read back from MySQL and carried along with pooled connections.
    Carried,
    /// Part of the connection's character set, which is carried as three variables together.
    Charset,
    /// LAST_INSERT_ID(), which the session itself knows.
    LastInsertId,
    /// Its effect cannot be carried: the session keeps its connection from here on.
    Pinning,
    /// Accepted and without effect, with a warning: what `mysqldump` writes about binary logs and GTIDs.
    Ignored,
    /// Only MySQL's own administrators may set it.
    Privileged,
    /// Not settable through the gateway.
    Refused,
}

/// The variables of [`Handling::Charset`], in the order in which they have to be set.
pub(super) const CHARSET_VARIABLES: [&str; 3] = [
    "character_set_client",
    "character_set_results",
    "collation_connection",
];

/// Session variables that are carried. Sorted.
const CARRIED: &[&str] = &[
    "auto_increment_increment",
    "auto_increment_offset",
    "autocommit",
    "big_tables",
    "block_encryption_mode",
    "bulk_insert_buffer_size",
    "character_set_filesystem",
    "completion_type",
    "cte_max_recursion_depth",
    "default_collation_for_utf8mb4",
    "default_storage_engine",
    "default_table_encryption",
    "default_tmp_storage_engine",
    "default_week_format",
    "div_precision_increment",
    "end_markers_in_json",
    "eq_range_index_dive_limit",
    "explain_format",
    "explain_json_format_version",
    "explicit_defaults_for_timestamp",
    "foreign_key_checks",
    "generated_random_password_length",
    "group_concat_max_len",
    "information_schema_stats_expiry",
    "innodb_lock_wait_timeout",
    "innodb_strict_mode",
    "innodb_table_locks",
    "interactive_timeout",
    "internal_tmp_mem_storage_engine",
    "join_buffer_size",
    "keep_files_on_create",
    "lc_messages",
    "lc_time_names",
    "lock_wait_timeout",
    "long_query_time",
    "low_priority_updates",
    "max_error_count",
    "max_execution_time",
    "max_heap_table_size",
    "max_join_size",
    "max_length_for_sort_data",
    "max_points_in_geometry",
    "max_seeks_for_key",
    "max_sort_length",
    "max_sp_recursion_depth",
    "min_examined_row_limit",
    "myisam_sort_buffer_size",
    "myisam_stats_method",
    "net_buffer_length",
    "net_read_timeout",
    "net_retry_count",
    "net_write_timeout",
    "new",
    "old_alter_table",
    "optimizer_max_subgraph_pairs",
    "optimizer_prune_level",
    "optimizer_search_depth",
    "optimizer_switch",
    "parser_max_mem_size",
    "preload_buffer_size",
    "print_identified_with_as_hex",
    "query_alloc_block_size",
    "query_prealloc_size",
    "range_alloc_block_size",
    "range_optimizer_max_mem_size",
    "read_buffer_size",
    "read_rnd_buffer_size",
    "restrict_fk_on_non_standard_key",
    "schema_definition_cache",
    "select_into_buffer_size",
    "select_into_disk_sync",
    "select_into_disk_sync_delay",
    "set_operations_buffer_size",
    "show_create_table_skip_secondary_engine",
    "show_create_table_verbosity",
    "show_gipk_in_create_table_and_information_schema",
    "sort_buffer_size",
    "sql_auto_is_null",
    "sql_big_selects",
    "sql_buffer_result",
    "sql_generate_invisible_primary_key",
    "sql_mode",
    "sql_notes",
    "sql_quote_show_create",
    "sql_require_primary_key",
    "sql_safe_updates",
    "sql_select_limit",
    "sql_warnings",
    "time_zone",
    "timestamp",
    "tmp_table_size",
    "transaction_alloc_block_size",
    "transaction_isolation",
    "transaction_prealloc_size",
    "transaction_read_only",
    "unique_checks",
    "updatable_views_with_limit",
    "use_secondary_engine",
    "wait_timeout",
    "windowing_use_high_precision",
    "xa_detach_on_prepare",
];

/// How a `SET [SESSION] name` is handled. Names are compared without case.
///
/// Names that nobody knows are [`Handling::Carried`] too: MySQL itself then answers 1193.
pub(super) fn handling(name: &str) -> Handling {
    let name = name.to_ascii_lowercase();
    if CARRIED.binary_search(&name.as_str()).is_ok() {
        return Handling::Carried;
    }
    match name.as_str() {
        "character_set_client"
        | "character_set_connection"
        | "character_set_results"
        | "collation_connection" => Handling::Charset,
        "sql_log_bin" | "gtid_next" | "gtid_purged" => Handling::Ignored,
        _ if name.starts_with("binlog_") => Handling::Ignored,
        "last_insert_id" | "identity" => Handling::LastInsertId,
        "rand_seed1"
        | "rand_seed2"
        | "insert_id"
        | "profiling"
        | "profiling_history_size"
        | "transaction_allow_batching"
        | "character_set_database"
        | "collation_database" => Handling::Pinning,
        "debug"
        | "debug_sync"
        | "original_commit_timestamp"
        | "original_server_version"
        | "immediate_server_version"
        | "pseudo_replica_mode"
        | "pseudo_slave_mode"
        | "pseudo_thread_id"
        | "server_id"
        | "sql_log_off"
        | "transaction_write_set_extraction"
        | "terminology_use_previous"
        | "require_row_format"
        | "replica_skip_errors" => Handling::Privileged,
        "resultset_metadata"
        | "session_track_gtids"
        | "session_track_schema"
        | "session_track_state_change"
        | "session_track_system_variables"
        | "session_track_transaction_info" => Handling::Refused,
        _ => Handling::Carried,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted() {
        assert!(CARRIED.is_sorted());
    }

    #[test]
    fn handles_by_name_in_any_case() {
        assert_eq!(handling("SQL_MODE"), Handling::Carried);
        assert_eq!(handling("Character_Set_Results"), Handling::Charset);
        assert_eq!(handling("sql_log_bin"), Handling::Ignored);
        assert_eq!(handling("binlog_format"), Handling::Ignored);
        assert_eq!(handling("rand_seed1"), Handling::Pinning);
        assert_eq!(handling("pseudo_thread_id"), Handling::Privileged);
        assert_eq!(handling("no_such_variable"), Handling::Carried);
    }
}
