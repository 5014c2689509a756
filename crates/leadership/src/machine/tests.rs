mod model;
mod shard;

use shard::{Log, Shard, ms, name, record};

use super::*;

fn machine(me: usize, durable: Durable) -> Machine<Log> {
    let known = (durable.term > 0).then(|| record(durable.term, 0));
    Machine::new(name(me), Timing::default(), known, durable, false, ms(0), 1)
}

fn durable(term: u64, held: u64) -> Durable {
    Durable {
        term,
        version: 1,
        held,
    }
}

fn from(id: usize, message: Message<Log>) -> Event<Log> {
    Event::Received {
        from: name(id),
        message,
    }
}

fn lease(record: &Record) -> Message<Log> {
    Message::GrantRequest {
        record: record.clone(),
        sent: ms(1),
        base: Some(Log::default()),
        lease: true,
    }
}

fn promise_request(record: &Record) -> Message<Log> {
    Message::PromiseRequest {
        record: record.clone(),
        urgent: true,
    }
}

fn stops(effects: &[Effect<Log>]) -> bool {
    effects.iter().any(|e| matches!(e, Effect::StopReceiving { .. }))
}

fn kills(effects: &[Effect<Log>]) -> bool {
    effects.contains(&Effect::Kill)
}

fn swap(effects: &[Effect<Log>]) -> Option<Record> {
    effects.iter().find_map(|effect| match effect {
        Effect::Swap { to, .. } => Some(to.clone()),
        _ => None,
    })
}

/// A member that stands for term 2: the primary of term 1 has not been seen since this agent started.
fn standing() -> Machine<Log> {
    let mut b = machine(1, durable(1, 0));
    b.step(Event::ServerUp, ms(10));
    b.step(Event::Eligible(true), ms(10));
    b.step(Event::Tick, ms(2000));
    let yes = Message::PreVote {
        round: 1,
        yes: true,
        record: None,
    };
    let effects = b.step(from(2, yes), ms(2001));
    assert_eq!(swap(&effects), Some(record(2, 1)));
    b
}

#[test]
fn the_first_holder_asks_for_promises_and_opens_its_term() {
    let mut shard = Shard::new();
    assert_eq!(shard.primary(), None, "the others may have forgotten leases");
    shard.pass(2500);
    assert_eq!(shard.primary(), Some((0, 1)));
    shard.pass(60_000);
    assert_eq!(
        shard.record,
        record(1, 0),
        "nothing is written while nothing happens"
    );
}

#[test]
fn when_the_server_of_a_primary_ends_another_is_elected_at_once() {
    let mut shard = Shard::led();
    shard.nodes[0].up = false;
    shard.give(0, Event::ServerDown);
    shard.pass(400);
    let primary = shard.primary();
    assert!(matches!(primary, Some((1 | 2, 2 | 3))), "{primary:?}");
    shard.pass(1000);
    assert_eq!(
        shard.nodes[0].machine.durable().held,
        0,
        "the old primary follows"
    );
    assert!(shard.nodes[0].up);
}

#[test]
fn a_primary_that_nobody_hears_ends_before_another_serves() {
    let mut shard = Shard::led();
    shard.nodes[0].reachable = false;
    let cut = shard.now;
    // Shard::primary asserts in each step that no two serve.
    while shard.primary().is_some_and(|(id, _)| id == 0) {
        shard.pass(10);
    }
    assert!(
        shard.now < cut + ms(2000),
        "the gate closes before the lease lapses"
    );
    assert!(shard.nodes[0].up);
    while shard.primary().is_none() {
        assert!(shard.now < cut + ms(3000));
        shard.pass(10);
    }
    assert!(!shard.nodes[0].up);
    shard.nodes[0].reachable = true;
    shard.pass(1000);
    assert!(matches!(shard.nodes[0].machine.stance(), Stance::Follow { .. }));
}

#[test]
fn a_primary_alone_in_the_shard_opens_a_new_term_in_place() {
    let mut shard = Shard::led();
    for id in [1, 2] {
        shard.nodes[id].reachable = false;
        shard.nodes[id].up = false;
        shard.give(id, Event::ServerDown);
    }
    shard.pass(10_000);
    assert_eq!(shard.record, record(2, 0));
    assert_eq!(shard.primary(), None, "its row is not acknowledged");
    shard.nodes[1].reachable = true;
    shard.pass(3000);
    assert_eq!(shard.primary().map(|(id, _)| id), Some(0));
}

#[test]
fn a_handover_gives_the_next_term_to_the_named_member() {
    let mut shard = Shard::led();
    shard.give(0, Event::HandOver { term: 1, to: name(2) });
    assert_eq!(shard.record, record(2, 2));
    shard.pass(20);
    assert_eq!(shard.primary(), Some((2, 2)));
    assert!(shard.nodes[0].up, "a fenced server need not be killed");
}

#[test]
fn a_handover_that_the_store_does_not_take_ends_in_a_term_of_its_own() {
    let mut shard = Shard::led();
    let changed = Record {
        version: 2,
        ..record(1, 0)
    };
    shard.record = changed;
    shard.give(0, Event::HandOver { term: 1, to: name(2) });
    shard.pass(4000);
    let primary = shard.primary();
    assert!(primary.is_some_and(|(_, term)| term >= 2), "{primary:?}");
}

#[test]
fn the_member_that_has_more_gets_the_term_after() {
    let mut shard = Shard::led();
    shard.nodes[2].log.others = 5;
    shard.nodes[0].reachable = false;
    // Only b stands.
    shard.give(2, Event::Eligible(false));
    shard.pass(3000);
    assert_eq!(shard.primary(), Some((2, 3)));
    assert_eq!(shard.nodes[1].log.others, 5);
}

#[test]
fn lower_terms_are_refused_and_the_refused_primary_ends() {
    let mut b = machine(1, durable(2, 0));
    let refusal = Message::Refused { term: 1, higher: 2 };
    let answer = Effect::Send {
        to: name(0),
        message: refusal.clone(),
    };
    for asks in [lease(&record(1, 0)), promise_request(&record(1, 0))] {
        assert_eq!(b.step(from(0, asks), ms(3000)), std::slice::from_ref(&answer));
    }

    let mut shard = Shard::led();
    shard.give(0, from(1, refusal));
    assert!(!shard.nodes[0].up);
}

#[test]
fn nothing_is_promised_while_a_lease_holds() {
    let mut c = machine(2, durable(1, 0));
    c.step(Event::ServerUp, ms(10));
    let ask = || from(1, promise_request(&record(2, 1)));
    assert!(
        !stops(&c.step(ask(), ms(1999))),
        "a lease may have been forgotten"
    );
    c.step(from(0, lease(&record(1, 0))), ms(2000));
    assert!(!stops(&c.step(ask(), ms(3999))));
    assert!(stops(&c.step(ask(), ms(4000))));
    assert_eq!(c.durable().term, 2);
}

#[test]
fn a_release_ends_the_leases_of_its_term_alone() {
    let mut c = machine(2, durable(2, 0));
    let lease_of_3 = lease(&record(3, 0));
    c.step(from(0, lease_of_3), ms(2000));
    c.step(from(0, Message::Release { term: 2 }), ms(2001));
    assert!(c.has_granted(ms(2001)), "it came late");
    c.step(from(1, Message::Release { term: 3 }), ms(2001));
    assert!(c.has_granted(ms(2001)), "it came from somebody else");
    c.step(from(0, Message::Release { term: 3 }), ms(2001));
    assert!(!c.has_granted(ms(2001)));
}

/// What the candidate gave to the primary that came back binds it as any voter.
#[test]
fn a_candidate_promises_nothing_to_itself_while_its_own_lease_holds() {
    let mut b = standing();
    b.step(from(0, lease(&record(1, 0))), ms(2100));
    let won = Event::Swapped {
        to: record(2, 1),
        outcome: Swapped::Won,
    };
    assert!(stops(&b.step(won, ms(2200))));
    let own = || Event::Stopped {
        term: 2,
        position: Some(Log::default()),
    };
    let other = Message::Promise {
        term: 2,
        position: Log::default(),
    };
    b.step(own(), ms(2300));
    b.step(from(2, other), ms(2301));
    assert!(
        matches!(b.role, Role::Promising { .. }),
        "the lease holds until 4100 ms"
    );
    assert!(stops(&b.step(Event::Tick, ms(4200))), "it asks itself again");
    b.step(own(), ms(4300));
    assert!(matches!(b.role, Role::CatchingUp { .. }));
}

/// After a restart it may have given a lease that it forgot.
#[test]
fn a_candidate_promises_nothing_to_itself_in_its_quiet_time() {
    let mut b = machine(1, durable(1, 0));
    b.step(Event::ServerUp, ms(10));
    b.step(Event::Record(record(2, 1)), ms(20));
    let own = Event::Stopped {
        term: 2,
        position: Some(Log::default()),
    };
    b.step(own, ms(30));
    assert!(matches!(&b.role, Role::Promising { promises, .. } if promises.is_empty()));
}

/// Seed 40: two members held one term.
#[test]
fn a_late_answer_is_not_taken_for_that_of_a_later_swap() {
    let mut b = standing();
    // The answer does not come in time, another opens term 2, and b stands again.
    b.step(Event::Tick, ms(3600));
    b.step(Event::Record(record(2, 0)), ms(3700));
    b.step(Event::Tick, ms(7000));
    let yes = Message::PreVote {
        round: b.rounds,
        yes: true,
        record: None,
    };
    assert_eq!(
        swap(&b.step(from(2, yes), ms(7001))),
        Some(record(3, 1)),
        "it stands"
    );
    let late = Event::Swapped {
        to: record(2, 1),
        outcome: Swapped::Won,
    };
    b.step(late, ms(7002));
    assert!(matches!(b.role, Role::Swapping { .. }));
    assert_eq!(b.durable().term, 1);
}

#[test]
fn an_older_record_does_not_replace_a_newer_one() {
    let mut b = standing();
    b.step(from(2, lease(&record(3, 2))), ms(2100));
    let won = Event::Swapped {
        to: record(2, 1),
        outcome: Swapped::Won,
    };
    b.step(won, ms(2200));
    assert_eq!(b.known(), Some(&record(3, 2)));
    assert!(matches!(b.role, Role::Follower));
}

/// Seed 2642: members without servers deposed each other before their requests became urgent.
#[test]
fn who_opened_a_term_is_left_alone_for_a_while() {
    let mut c = machine(2, durable(1, 1));
    c.step(Event::Eligible(true), ms(2000));
    c.step(Event::Record(record(2, 1)), ms(2100));
    let vote = |round, holder| Message::PreVoteRequest {
        round,
        record: record(2, holder),
    };
    let says_yes = |effects: &[Effect<Log>]| {
        effects.iter().any(|e| {
            matches!(
                e,
                Effect::Send {
                    message: Message::PreVote { yes: true, .. },
                    ..
                }
            )
        })
    };
    assert!(!says_yes(&c.step(from(0, vote(1, 1)), ms(5000))));
    assert!(
        says_yes(&c.step(from(1, vote(2, 1)), ms(5000))),
        "itself may go on"
    );
    assert!(matches!(c.role, Role::Follower), "nor does it stand");
    assert!(says_yes(&c.step(from(0, vote(3, 1)), ms(5101))));
}

/// Seed 282: thousands of swaps a second.
#[test]
fn a_failed_reopening_waits_before_the_next() {
    let mut a = machine(0, durable(1, 1));
    assert_eq!(swap(&a.step(Event::Tick, ms(1))), Some(record(2, 0)));
    let lost = Event::Swapped {
        to: record(2, 0),
        outcome: Swapped::Unknown,
    };
    assert_eq!(swap(&a.step(lost, ms(2))), None);
    assert_eq!(swap(&a.step(Event::Tick, ms(301))), None);
    assert_eq!(swap(&a.step(Event::Tick, ms(302))), Some(record(2, 0)));
}

#[test]
fn a_restarted_agent_goes_on_only_in_the_term_that_it_still_holds() {
    let base = Log::default();
    let mut a = machine(0, durable(1, 1));
    assert!(!kills(&a.step(Event::Resumed { term: 1, base }, ms(1))));
    assert!(
        matches!(a.stance(), Stance::Lead { serve: false, .. }),
        "no leases yet"
    );
    let grant = Message::Grant { term: 1, sent: ms(1) };
    a.step(from(2, grant), ms(5));
    assert!(matches!(a.stance(), Stance::Lead { serve: true, .. }));

    let mut promised = machine(0, durable(2, 1));
    assert!(kills(&promised.step(Event::Resumed { term: 1, base }, ms(1))));
    assert_eq!(promised.stance(), Stance::Wait);
}

/// By the new record fewer voters elect another: one lease, which was enough, leaves enough of them free.
#[test]
fn a_change_of_the_record_waits_for_the_leases_that_it_needs_and_keeps_to_both_rules() {
    let old = Record {
        voters: (0..5).map(name).collect(),
        ..record(1, 0)
    };
    let new = Record {
        acks: 2,
        version: 2,
        ..old.clone()
    };
    let mut a = Machine::new(
        name(0),
        Timing::default(),
        Some(old),
        durable(1, 1),
        false,
        ms(0),
        1,
    );
    let base = Log::default();
    let grant = |sent| Message::Grant { term: 1, sent };
    let serves = |a: &Machine<Log>| matches!(a.stance(), Stance::Lead { serve: true, .. });
    a.step(Event::Resumed { term: 1, base }, ms(1));
    a.step(from(1, grant(ms(1))), ms(2));
    assert!(serves(&a));
    let change = || Event::Change { to: new.clone() };
    assert_eq!(swap(&a.step(change(), ms(3))), None);

    a.step(from(2, grant(ms(1))), ms(4));
    assert_eq!(swap(&a.step(change(), ms(5))), Some(new.clone()));
    a.step(Event::Tick, ms(1000));
    a.step(from(1, grant(ms(1000))), ms(1001));
    a.step(Event::Tick, ms(1701));
    assert!(!serves(&a), "the record may be the new one by now");
    a.step(from(2, grant(ms(1000))), ms(1702));
    assert!(serves(&a));
    assert_eq!(swap(&a.step(change(), ms(1703))), Some(new.clone()), "repeated");
    let won = Event::Swapped {
        to: new.clone(),
        outcome: Swapped::Won,
    };
    a.step(won, ms(1704));
    assert!(matches!(a.stance(), Stance::Lead { record, .. } if record == new));
}

/// Clocks of other speeds must not let a frozen agent's server outlive the lease.
#[test]
fn the_deadline_comes_before_the_lapse() {
    let mut a = machine(0, durable(1, 1));
    let base = Log::default();
    a.step(Event::Resumed { term: 1, base }, ms(0));
    let grant = Message::Grant { term: 1, sent: ms(0) };
    let effects = a.step(from(1, grant), ms(1));
    assert!(effects.contains(&Effect::Deadline(Some(ms(1850)))), "{effects:?}");
}

/// The deadline of a killed primary ended the replica that came after it.
#[test]
fn a_dead_process_has_no_deadline() {
    let mut shard = Shard::led();
    shard.give(0, Event::Record(record(2, 1)));
    let mut latest = shard.nodes[0].effects.iter().rev();
    let last = latest.find(|e| matches!(e, Effect::Deadline(_)));
    assert_eq!(last, Some(&Effect::Deadline(None)));
}
