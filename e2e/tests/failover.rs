//! One fault of each class on a shard under load. Whatever happens: what got OK is there, nothing is there twice or in spite of its
//! error, and no two members lead one term.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::sync::LazyLock;
use std::time::Duration;

use e2e::cluster::{Cluster, manifest};
use e2e::faults::history::Told;
use e2e::faults::plan::{Fault, Part, Plan, Strike, Tail, Victim};
use e2e::faults::report;
use e2e::faults::round::{Ground, Report};
use e2e::faults::table::Digest;
use tokio::runtime::Runtime;
use tokio::sync::Mutex;

/// Longer than leases last: somebody else leads meanwhile.
const LONG: Duration = Duration::from_secs(4);
const NONE: Duration = Duration::ZERO;

/// No tablet serves; the connection was lost; the transaction was; the COMMIT's outcome is unknown.
const EXPECTED: [u16; 4] = [1105, 2013, 1053, 1180];

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
/// The cluster that all tests share; none before the first, and behind one that broke it.
static GROUND: Mutex<Option<Ground>> = Mutex::const_new(None);

/// Runs a plan and checks what must hold whatever breaks.
fn survive(plan: Plan) -> Report {
    RUNTIME.block_on(async {
        let mut shared = GROUND.lock().await;
        let mut ground = match shared.take() {
            Some(ground) => ground,
            None => {
                let cluster = Cluster::start(&manifest("faults")).unwrap();
                Ground::new(cluster, true, (Digest::default(), 1)).await.unwrap()
            }
        };
        let report = match ground.run(&plan).await {
            Ok(report) => report,
            Err(error) => {
                let changes = ground.fleet.take_changes().join("\n");
                panic!("{plan}: {error:#}\n{changes}");
            }
        };
        println!("{}", report::line(0, &report));
        assert!(report.violations.is_empty(), "{plan}: {:#?}", report.violations);
        let errors = &report.noticed.errors;
        let gateway_ends = matches!(plan.first.fault, Fault::GatewayKill | Fault::PowerLoss);
        let may_be = |told: &Told| match told {
            Told::Code(code) => EXPECTED.contains(code),
            Told::Gone => gateway_ends,
            Told::Silence => false,
        };
        assert!(errors.keys().all(may_be), "{plan}: {errors:?}");
        if plan.heals() {
            *shared = Some(ground);
        }
        report
    })
}

fn primary(fault: Fault, lasts: Duration) -> Report {
    survive(Plan::of(fault, Victim::Primary, lasts))
}

fn replica(fault: Fault, lasts: Duration) -> Report {
    survive(Plan::of(fault, Victim::Replica(0), lasts))
}

/// Nobody notices.
fn unnoticed(report: &Report) {
    assert!(report.noticed.errors.is_empty(), "{report:?}");
    assert_eq!(report.primary, report.primary_after, "{report:?}");
}

#[test]
fn a_handover_is_done_as_told() {
    let report = replica(Fault::Handover, NONE);
    assert!(!report.refused(), "{:?}", report.notes);
    assert_ne!(report.primary, report.primary_after);
}

#[test]
fn a_primary_that_is_told_to_stop_hands_over() {
    let report = primary(Fault::Terminate, NONE);
    assert_ne!(report.primary, report.primary_after);
}

#[test]
fn a_target_that_dies_during_its_handover() {
    let mut plan = Plan::of(Fault::Handover, Victim::Replica(0), NONE);
    let second = Strike {
        fault: Fault::Kill(Part::Mysqld),
        victim: Victim::Replica(0),
        lasts: NONE,
    };
    plan.second = Some((Duration::from_millis(100), second));
    survive(plan);
}

#[test]
fn killed_processes_of_a_primary() {
    for part in [Part::Mysqld, Part::Agent, Part::Supervisor, Part::Member] {
        primary(Fault::Kill(part), NONE);
    }
}

#[test]
fn killed_processes_of_a_replica() {
    for part in [Part::Mysqld, Part::Agent, Part::Member] {
        unnoticed(&replica(Fault::Kill(part), NONE));
    }
}

#[test]
fn frozen_processes_of_a_primary() {
    for part in [Part::Agent, Part::Mysqld, Part::Member] {
        primary(Fault::Freeze(part), LONG);
    }
}

#[test]
fn a_lost_primary_is_replaced() {
    let report = primary(Fault::Down, LONG);
    assert_ne!(report.primary, report.primary_after);
}

#[test]
fn a_primary_and_a_replica_at_once() {
    let mut plan = Plan::of(Fault::Kill(Part::Member), Victim::Primary, NONE);
    let second = Strike {
        fault: Fault::Kill(Part::Mysqld),
        victim: Victim::Replica(1),
        lasts: NONE,
    };
    plan.second = Some((NONE, second));
    survive(plan);
}

#[test]
fn all_servers_at_once() {
    survive(Plan::of(Fault::AllServers, Victim::Cluster, NONE));
}

#[test]
fn a_former_primary_comes_back_without_what_nobody_acknowledged() {
    for kind in [Tail::Rows, Tail::Ddl, Tail::Xa] {
        let report = primary(Fault::Tail(kind), LONG);
        assert_ne!(report.primary, report.primary_after);
    }
}

#[test]
fn accounts_are_being_changed_when_a_primary_dies() {
    primary(Fault::Grant, NONE);
}

#[test]
fn the_store_is_killed_or_stands_still_and_nobody_notices() {
    for (fault, lasts) in [
        (Fault::StoreKill, NONE),
        (Fault::StoreFreeze, LONG),
        (Fault::StoreSlow, LONG),
    ] {
        unnoticed(&survive(Plan::of(fault, Victim::Cluster, lasts)));
    }
}

#[test]
fn the_store_forgets_everything_and_nobody_notices() {
    unnoticed(&survive(Plan::of(Fault::StoreEmpty, Victim::Cluster, LONG)));
}

#[test]
fn a_replica_that_was_written_to_is_made_anew() {
    unnoticed(&replica(Fault::Errant, NONE));
}

#[test]
fn the_disk_of_a_replica_is_lost() {
    unnoticed(&replica(Fault::Disk, NONE));
}
