//! The two years of the shop: day numbers, months, quarters and instants, all in UTC and in integers.
//!
//! A day is counted from 2023-01-01 = 0. Must not know events.

/// Days of the shop: 2023-01-01 .. 2024-12-31.
pub const DAYS: i32 = 731;

/// The last day: 2024-12-31.
pub const LAST_DAY: i32 = DAYS - 1;

/// 2024-01-01.
pub const FIRST_DAY_OF_2024: i32 = 365;

pub const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;

/// 2023-01-01 in days since 1970-01-01.
const FIRST_DAY_SINCE_1970: i64 = 19_358;

/// How busy each UTC hour is. The customers live at UTC+8: the peak of 12:00 is their evening.
const HOURS: [u32; 24] = [5, 6, 7, 7, 8, 7, 6, 6, 6, 6, 7, 9, 11, 12, 10, 6, 3, 2, 1, 1, 1, 1, 2, 4];

/// The instant of a second of a day, in microseconds since 1970.
pub fn instant(day: i32, second: u32) -> i64 {
    (FIRST_DAY_SINCE_1970 + i64::from(day)) * MICROSECONDS_PER_DAY + i64::from(second) * 1_000_000
}

/// The day that an instant lies in.
pub fn day_of(ts: i64) -> i32 {
    (ts.div_euclid(MICROSECONDS_PER_DAY) - FIRST_DAY_SINCE_1970) as i32
}

/// A second of the day at which people shop. Ends an hour before midnight, so that a session stays within its day.
pub fn busy_second(dice: &mut super::random::Dice) -> u32 {
    let hour = dice.weighted(&HOURS[..23]) as u32;
    hour * 3600 + dice.below(3600)
}

/// (year, month 1..=12, day 1..=31) of a day.
pub fn civil(day: i32) -> (i32, u32, u32) {
    let (mut year, mut rest) = if day < FIRST_DAY_OF_2024 { (2023, day) } else { (2024, day - FIRST_DAY_OF_2024) };
    if rest < 0 {
        // Never asked for: the shop opens in 2023.
        (year, rest) = (2023, 0);
    }
    let mut month = 1;
    while rest >= days_in_month(year, month) {
        rest -= days_in_month(year, month);
        month += 1;
    }
    (year, month, rest as u32 + 1)
}

/// 28 to 31.
pub fn days_in_month(year: i32, month: u32) -> i32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

pub fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// `2024-07`.
pub fn month_name(day: i32) -> String {
    let (year, month, _) = civil(day);
    format!("{year}-{month:02}")
}

/// 0 for the first quarter of 2023 to 7 for the last one of 2024.
pub fn quarter(day: i32) -> usize {
    let (year, month, _) = civil(day);
    (year - 2023) as usize * 4 + (month as usize - 1) / 3
}

/// Half of the orders of June and November gather around the sales days 18 June and 11 November.
pub fn drawn_to_sales(day: i32, dice: &mut super::random::Dice) -> i32 {
    let (_, month, day_of_month) = civil(day);
    let sale = match month {
        6 => 18,
        11 => 11,
        _ => return day,
    };
    if !dice.chance(500) {
        return day;
    }
    day - day_of_month as i32 + sale + dice.between(-1, 0)
}
