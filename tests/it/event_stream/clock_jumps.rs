//! A clock that jumps back or on changes no order and loses no duplicate: positions order events, and what a clock that
//! was wrong says takes little from the window of message ids (`store/dedupe/clock.rs`).

use chrono::{DateTime, TimeDelta};
use convoke::clock::Clock;
use convoke::store::Root;

use super::*;
use crate::harness::open_root;

/// Noon, so that no day ends while a test runs.
const START: &str = "2024-03-10T12:00:00Z";

/// Of each event the days of the clock from the start, and what it shows then: back, put right, on, and put right again.
const DAYS: [(&str, i64, &str); 5] = [
    ("a", 0, "2024-03-10"),
    ("b", -2, "2024-03-08"),
    ("c", 0, "2024-03-10"),
    ("d", 2, "2024-03-12"),
    ("e", 0, "2024-03-10"),
];

async fn open_with(folder: Arc<TempDir>, clock: &Clock) -> World {
    let root = Root::open(folder.path().to_str().unwrap()).unwrap().with_clock(clock.clone());
    open_root(root, folder, Settings::defaults().unwrap(), "UTC").await
}

async fn world_with_clock() -> (World, Clock) {
    let clock = Clock::seeded(7, DateTime::parse_from_rfc3339(START).unwrap().to_utc());
    (open_with(Arc::new(tempfile::tempdir().unwrap()), &clock).await, clock)
}

/// How a process goes on.
#[derive(Debug, Clone, Copy)]
enum Then {
    Runs,
    IsKilled,
    Flushes,
    FlushesAndIsKilled,
}

impl Then {
    async fn go_on(self, world: World, clock: &Clock) -> World {
        if matches!(self, Then::Flushes | Then::FlushesAndIsKilled) {
            world.flush().await;
        }
        match self {
            Then::Runs | Then::Flushes => world,
            Then::IsKilled | Then::FlushesAndIsKilled => open_with(kill(world).await, clock).await,
        }
    }
}

/// A new event, and all ids of before with it, of which none is new.
async fn send_with_those_before(world: &World, ids: &[&str]) -> AppendResult {
    let rows: Vec<_> = ids.iter().map(|id| event(id, id)).collect();
    let result = send(&stream(world).await, &rows, "").await;
    assert_eq!(counts(&result), (1, ids.len() as u64 - 1, 0), "{ids:?}");
    result
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_keep_their_order_and_their_ids_over_jumps_of_two_days() {
    let ids: Vec<&str> = DAYS.iter().map(|(id, ..)| *id).collect();
    for then in [Then::Runs, Then::IsKilled, Then::Flushes, Then::FlushesAndIsKilled] {
        let (mut world, clock) = world_with_clock().await;
        let keyed = send(&stream(&world).await, &[InputRow { message_id: None, ..event("", "keyed") }], "key").await;
        let (mut position, mut day) = (keyed.position, 0);
        for (sent, (_, next, _)) in DAYS.iter().enumerate() {
            clock.jump(TimeDelta::days(next - day));
            day = *next;
            let result = send_with_those_before(&world, &ids[..=sent]).await;
            assert!(result.position > position, "{then:?}: {result:?} behind position {position}");
            position = result.position;
            world = then.go_on(world, &clock).await;
            // A batch key, too.
            assert_eq!(send(&stream(&world).await, &[event("another", "x")], "key").await, keyed, "{then:?}");
        }
        let received = "SELECT message_id, CAST(received_at AS DATE) FROM events WHERE user_id <> 'keyed'
                        ORDER BY message_id";
        let expected: Vec<String> = DAYS.iter().map(|(id, _, date)| format!("{id} {date}")).collect();
        assert_eq!(world.rows(received).await, expected, "the clock was set");
        // Person numbers are given in the order of the log.
        let numbers = "SELECT user_id, person FROM events ORDER BY person";
        let expected = ["keyed 0", "a 1", "b 2", "c 3", "d 4", "e 5"];
        assert_eq!(world.rows(numbers).await, expected, "{then:?}");
        let world = Then::FlushesAndIsKilled.go_on(world, &clock).await;
        assert_eq!(world.rows(numbers).await, expected, "{then:?}");
        assert_eq!(counts(&send(&stream(&world).await, &[event("c", "c"), event("a", "a")], "").await), (0, 2, 0));
    }
}

/// Content of before a jump is known behind it, and so is each id that a file brings.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loads_are_known_over_jumps_of_two_days() {
    let (mut world, clock) = world_with_clock().await;
    let rows = || vec![Ok(batch(&[event("a", "a"), event("b", "b")]))];
    assert_eq!(world.load_in_log("file", rows()).await.unwrap().kept, 2);
    for days in [-2, 2, 2, -2] {
        clock.jump(TimeDelta::days(days));
        assert!(world.load_in_log("file", rows()).await.unwrap().skipped);
        let other = world.load_in_log("another file", rows()).await.unwrap();
        assert_eq!((other.kept, other.duplicate), (0, 2), "{days} days");
        world = Then::FlushesAndIsKilled.go_on(world, &clock).await;
    }
    assert_eq!(world.row(COUNT).await, "2 2 2");
}

/// A clock that shows 2099 by mistake takes a day from the window, and not all of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_jump_beyond_the_window_loses_no_id() {
    for then in [Then::Runs, Then::IsKilled, Then::Flushes, Then::FlushesAndIsKilled] {
        let (mut world, clock) = world_with_clock().await;
        send_with_those_before(&world, &["a"]).await;
        for (id, days) in [("b", 27_000), ("c", -27_000), ("d", 40)] {
            clock.jump(TimeDelta::days(days));
            send_with_those_before(&world, &["a", id]).await;
            world = then.go_on(world, &clock).await;
        }
        assert_eq!(counts(&send(&stream(&world).await, &[event("a", "a")], "").await), (0, 1, 0), "{then:?}");
        assert_eq!(world.row(COUNT).await, "4 4 4");
    }
}

/// Time that passes, and is no jump, ends the window: 30 days, and 2 in reserve.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_is_new_again_behind_the_window() {
    for then in [Then::Runs, Then::FlushesAndIsKilled] {
        let (mut world, clock) = world_with_clock().await;
        send_with_those_before(&world, &["a"]).await;
        let days: Vec<String> = (1..=33).map(|day| format!("day {day}")).collect();
        for (day, id) in (1..).zip(&days) {
            clock.jump(TimeDelta::days(1));
            // At 32 days it is the last time.
            let ids = if day <= 32 { vec!["a", id.as_str()] } else { vec![id.as_str()] };
            send_with_those_before(&world, &ids).await;
            if day % 11 == 0 {
                world = then.go_on(world, &clock).await;
            }
        }
        assert_eq!(counts(&send(&stream(&world).await, &[event("a", "a")], "").await), (1, 0, 0), "{then:?}");
        // Sent again at once it is known again, and the day before is known still.
        let again = [event("a", "a"), event("day 32", "x"), event("day 2", "x")];
        assert_eq!(counts(&send(&stream(&world).await, &again, "").await), (0, 3, 0), "{then:?}");
    }
}
