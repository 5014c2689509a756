#![expect(clippy::unwrap_used, reason = "tests")]

use clap::{CommandFactory, Parser};

use super::*;

#[test]
fn definition_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn a_local_cluster_starts_tablets_so() {
    let cli = Cli::try_parse_from(
        "tablet-agent supervise --alias customer-x-80-1 --keyspace customer --shard -80 --topology unix:/t/s \
         --dir /t/1 --secrets /t/secrets.json --mysqld /opt/mysqld --mysqld-basedir /opt --die-with-parent=17"
            .split_ascii_whitespace(),
    )
    .unwrap();
    let Command::Supervise(args) = cli.command else {
        unreachable!()
    };
    assert_eq!(args.tablet.shard, "-80");
    assert_eq!(args.tablet.serial(), 1);
    assert_eq!(args.die_with_parent, Some(17));
}

#[test]
fn die_with_parent_takes_no_separate_value() {
    let cli = Cli::try_parse_from(
        "tablet-agent supervise --die-with-parent --alias c-0 --keyspace c --shard - --topology unix:/t/s \
         --dir /t/1 --secrets /t/s.json"
            .split_ascii_whitespace(),
    )
    .unwrap();
    let Command::Supervise(args) = cli.command else {
        unreachable!()
    };
    assert_eq!((args.die_with_parent, args.tablet.shard.as_str()), (Some(0), "-"));
}

#[test]
fn serial_is_the_number_after_the_last_hyphen() {
    assert_eq!(serial_of("customer-x-80-12"), 12);
    assert_eq!(serial_of("customer"), 0);
    assert_eq!(serial_of("customer-x"), 0);
}
