use std::time::Duration;

use chrono::DateTime;
use proptest::prelude::*;

use super::*;
use crate::auth::Role;
use crate::error::Kind;
use crate::ids::WorkspaceName;

fn caller(workspace: &str, principal: &str, role: Role) -> Caller {
    Caller::new(WorkspaceName::new(workspace).unwrap(), principal, role)
}

fn statement() -> Statement {
    Statement {
        sql: "SELECT $1".into(),
        options: SessionOptions { time_zone: Some("Asia/Shanghai".into()), schema: None },
        snapshot: Some(SnapshotId { position: 9, version: 7, epoch: 3, tables: 5, settings_revision: 2 }),
        parameters: Bytes::from_static(b"rows"),
        query_id: new_query_id(),
    }
}

#[test]
fn a_statement_survives_sealing() {
    let signer = Signer::new(Clock::default());
    let caller = caller("shop", "a", Role::Analyst);
    for purpose in [Purpose::Ticket, Purpose::Handle] {
        let sealed = signer.seal(purpose, &caller, &statement());
        let sent = Statement { query_id: [1; 16], ..statement() };
        let sealed_again = signer.seal(purpose, &caller, &sent);
        assert_eq!(signer.open(purpose, &caller, sealed_again).unwrap(), sent);
        assert!(signer.open(purpose, &caller, sealed).is_ok());
    }
}

#[test]
fn another_caller_cannot_use_it() {
    let signer = Signer::new(Clock::default());
    let sealed = signer.seal(Purpose::Ticket, &caller("shop", "a", Role::Analyst), &statement());
    for thief in [
        caller("shop", "b", Role::Analyst),
        caller("other", "a", Role::Analyst),
        caller("shop", "a", Role::Admin),
        caller("sho", "pa", Role::Analyst),
    ] {
        let error = signer.open(Purpose::Ticket, &thief, sealed.clone()).unwrap_err();
        assert_eq!(error.kind(), Kind::Unauthenticated);
        assert!(!error.message().contains("shop"), "{}", error.message());
    }
}

#[test]
fn a_ticket_is_no_handle_and_another_process_opens_neither() {
    let signer = Signer::new(Clock::default());
    let caller = caller("shop", "a", Role::Analyst);
    let ticket = signer.seal(Purpose::Ticket, &caller, &statement());
    assert_eq!(signer.open(Purpose::Handle, &caller, ticket.clone()).unwrap_err().kind(), Kind::InvalidInput);
    assert_eq!(
        Signer::new(Clock::default()).open(Purpose::Ticket, &caller, ticket).unwrap_err().kind(),
        Kind::InvalidInput
    );
}

#[test]
fn an_expired_ticket_says_so() {
    let signer = Signer::new(Clock::default());
    let caller = caller("shop", "a", Role::Analyst);
    let old = signer.seal_until(Purpose::Ticket, &caller, &statement(), signer.clock.now_seconds());
    let error = signer.open(Purpose::Ticket, &caller, old).unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidInput);
    assert!(error.message().contains("has expired"), "{}", error.message());
}

#[tokio::test(start_paused = true)]
async fn a_ticket_lives_for_its_time_by_the_clock_of_the_root() {
    let signer = Signer::new(Clock::seeded(7, DateTime::UNIX_EPOCH));
    let caller = caller("shop", "a", Role::Analyst);
    let ticket = signer.seal(Purpose::Ticket, &caller, &statement());
    assert_eq!(signer.expiry(Purpose::Ticket), TICKET_SECONDS);
    tokio::time::advance(Duration::from_secs(TICKET_SECONDS - 1)).await;
    signer.open(Purpose::Ticket, &caller, ticket.clone()).unwrap();
    tokio::time::advance(Duration::from_secs(1)).await;
    let error = signer.open(Purpose::Ticket, &caller, ticket).unwrap_err();
    assert!(error.message().contains("has expired"), "{}", error.message());
}

#[test]
fn every_altered_byte_is_noticed() {
    let signer = Signer::new(Clock::default());
    let caller = caller("shop", "a", Role::Analyst);
    let sealed = signer.seal(Purpose::Ticket, &caller, &statement());
    for position in 0..sealed.len() {
        let mut altered = sealed.to_vec();
        altered[position] ^= 0x55;
        assert!(signer.open(Purpose::Ticket, &caller, Bytes::from(altered)).is_err(), "byte {position}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let caller = caller("shop", "a", Role::Analyst);
        prop_assert!(Signer::new(Clock::default()).open(Purpose::Ticket, &caller, Bytes::from(bytes)).is_err());
    }
}
