//! Times with the year first that no reader takes for another, in forms beside those of ISO: parts without a zero in front
//! of them, `2024/3/4 9:05`, as spreadsheets write them, and an hour of half a day, `2024-03-05 3:05 PM`.

use super::clock::{Half, split_half};

/// The text with two digits for month, day and hour, and the hour of a whole day; `None` for a text of another shape.
/// Whether there is such a time is not asked.
pub(super) fn write_out(text: &str) -> Option<String> {
    let (date, time) = match text.find([' ', 'T', 't']) {
        // The separator is one byte.
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let separator = if date.contains('/') { '/' } else { '-' };
    let parts: Vec<&str> = date.split(separator).collect();
    let [year, month, day] = parts.as_slice() else { return None };
    let year = Some(year).filter(|year| year.len() == 4)?;
    let mut written = format!("{year}{separator}{}{separator}{}", two_digits(month)?, two_digits(day)?);
    if let Some(time) = time {
        written.push(' ');
        written.push_str(&write_out_clock(time)?);
    }
    Some(written)
}

fn write_out_clock(time: &str) -> Option<String> {
    let (clock, half) = split_half(time);
    let (hour, rest) = clock.split_once(':')?;
    let hour = two_digits(hour)?;
    let Some(half) = half else { return Some(format!("{hour}:{rest}")) };
    let hour: u32 = hour.parse().ok().filter(|hour| (1..=12).contains(hour))?;
    let start = if half == Half::Afternoon { 12 } else { 0 };
    Some(format!("{:02}:{rest}", hour % 12 + start))
}

fn two_digits(part: &str) -> Option<String> {
    let is_number = (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| format!("{part:0>2}"))
}

#[cfg(test)]
mod tests;
