use super::*;

fn sound() -> Flags {
    Flags {
        read_only: false,
        super_read_only: false,
        offline: false,
        source_enabled: true,
        wait_for_replica_count: 1,
        source_timeout: u64::from(ACK_TIMEOUT_MAX),
        wait_no_replica: true,
        replica_enabled: false,
        gtid_text: String::new(),
    }
}

#[test]
fn any_weaker_setting_is_drift() {
    assert_eq!(drift(&sound(), 1), None);
    assert!(drift(&sound(), 2).is_some());
    for weaker in [
        Flags {
            super_read_only: true,
            ..sound()
        },
        Flags {
            source_enabled: false,
            ..sound()
        },
        Flags {
            wait_no_replica: false,
            ..sound()
        },
        Flags {
            source_timeout: 10_000,
            ..sound()
        },
        Flags {
            wait_for_replica_count: 0,
            ..sound()
        },
    ] {
        assert!(drift(&weaker, 1).is_some(), "{weaker:?}");
    }
    assert_eq!(
        drift(
            &Flags {
                source_enabled: false,
                ..sound()
            },
            0
        ),
        None,
        "a single member has no semi-sync"
    );
}
