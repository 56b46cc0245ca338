use super::super::clock::{Hour, IndexClock, MAX_STEP_HOURS, RESERVE_HOURS, ReceiveHours};
use super::at_hour;

fn advance(clock: &mut IndexClock, hours: &[u32]) -> Vec<u32> {
    hours.iter().map(|hour| clock.advance(at_hour(*hour)).0).collect()
}

#[test]
fn steps_of_a_day_count_in_full() {
    let mut clock = IndexClock::start(at_hour(1000));
    assert_eq!(advance(&mut clock, &[1000, 1001, 1025]), [1000, 1001, 1025]);
    assert_eq!(
        clock.advance(at_hour(1025) + 3_599_999_999),
        Hour(1025),
        "an hour is not over before its last microsecond"
    );
}

#[test]
fn a_jump_on_counts_a_day_and_the_way_back_nothing() {
    let mut clock = IndexClock::start(at_hour(1000));
    assert_eq!(advance(&mut clock, &[9_000_000, 9_000_001]), [1024, 1025]);
    assert_eq!(advance(&mut clock, &[1002, 1003]), [1025, 1026]);
}

#[test]
fn a_jump_back_counts_nothing_and_being_put_right_a_day() {
    let mut clock = IndexClock::start(at_hour(1000));
    assert_eq!(advance(&mut clock, &[0, 5]), [1000, 1005]);
    assert_eq!(advance(&mut clock, &[1005]), [1005 + MAX_STEP_HOURS]);
}

#[test]
fn two_clocks_a_day_apart_do_not_speed_time_up() {
    let mut clock = IndexClock::start(at_hour(1000));
    for hour in 1000..1100 {
        clock.advance(at_hour(hour + MAX_STEP_HOURS));
        clock.advance(at_hour(hour));
    }
    assert_eq!(clock.now(), Hour(1099 + MAX_STEP_HOURS));
}

#[test]
fn times_out_of_range_are_taken_as_the_nearest() {
    let mut clock = IndexClock::start(-5);
    assert_eq!(clock.now(), Hour(0));
    assert_eq!(clock.advance(i64::MAX), Hour(MAX_STEP_HOURS));
    assert_eq!(clock.advance(i64::MIN), Hour(MAX_STEP_HOURS));
    assert_eq!(IndexClock::start(i64::MAX).now().horizon(u32::MAX), Hour(0));
}

#[test]
fn the_horizon_is_the_window_and_the_reserve_back() {
    assert_eq!(Hour(1000).horizon(720), Hour(1000 - 720 - RESERVE_HOURS));
    assert_eq!(Hour(10).horizon(720), Hour(0));
}

#[test]
fn stored_events_of_a_clock_that_was_ahead_lie_a_day_behind_the_others() {
    let mut hours = ReceiveHours::default();
    [5000, 1001, 9_000_000, 1000, 1003].iter().for_each(|hour| hours.insert(at_hour(*hour)));
    let timeline = hours.into_timeline();
    let hour_of = |hour: u32| timeline.hour_of(at_hour(hour)).map(|hour| hour.0);
    assert_eq!([1000, 1001, 1003, 5000, 9_000_000].map(hour_of), [1000, 1001, 1003, 1027, 1051].map(Some));
    assert_eq!(hour_of(1002), None);
    let mut clock = timeline.clock().unwrap();
    assert_eq!(clock.now(), Hour(1051));
    assert_eq!(clock.advance(at_hour(5001)), Hour(1051), "the clock was put right since");
    assert!(ReceiveHours::default().into_timeline().clock().is_none());
}
