//! The half of the day behind a clock time: `3:05 PM`.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Half {
    Morning,
    Afternoon,
}

/// The time without its half of the day, and the half, where one is written.
pub(super) fn split_half(time: &str) -> (&str, Option<Half>) {
    let Some((clock, half)) = time.len().checked_sub(2).and_then(|at| time.split_at_checked(at)) else {
        return (time, None);
    };
    let half = match half {
        _ if half.eq_ignore_ascii_case("am") => Half::Morning,
        _ if half.eq_ignore_ascii_case("pm") => Half::Afternoon,
        _ => return (time, None),
    };
    (clock.trim_end(), Some(half))
}
