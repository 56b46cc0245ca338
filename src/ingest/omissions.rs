//! Identifiers and order numbers of a load that count as none or are too long, and a load without any identifier: said,
//! since persons and orders are missing then without a row that was rejected.

use super::identifiers::LongIdentifier;

/// Counts over the kept rows of one load.
#[derive(Debug, Default)]
pub(super) struct Omissions {
    rows: u64,
    /// Rows that belong to somebody.
    identified: u64,
    identifiers: Tally,
    /// How many are too long, and what is said of the first one.
    long_identifiers: u64,
    first_long: Option<String>,
    order_numbers: Tally,
    unlikely_times: u64,
}

/// How many values are blocked.
#[derive(Debug, Default)]
pub(super) struct Tally {
    count: u64,
    /// The first one.
    example: String,
}

impl Tally {
    pub(super) fn add(&mut self, value: &str) {
        if self.count == 0 {
            value.clone_into(&mut self.example);
        }
        self.count += 1;
    }

    fn merge(&mut self, other: Tally) {
        if self.count == 0 {
            self.example = other.example;
        }
        self.count += other.count;
    }
}

impl Omissions {
    pub(super) fn add_rows(&mut self, rows: usize, identified: usize) {
        self.rows += rows as u64;
        self.identified += identified as u64;
    }

    pub(super) fn add_identifiers(&mut self, blocked: Tally) {
        self.identifiers.merge(blocked);
    }

    pub(super) fn add_long_identifiers(&mut self, too_long: &[LongIdentifier]) {
        self.long_identifiers += too_long.len() as u64;
        let first = || too_long.first().map(|first| format!("row {}: {}", first.row, first.reason()));
        self.first_long = self.first_long.take().or_else(first);
    }

    pub(super) fn add_order_numbers(&mut self, blocked: Tally) {
        self.order_numbers.merge(blocked);
    }

    pub(super) fn add_times(&mut self, times: &[i64]) {
        self.unlikely_times += times.iter().filter(|ts| stands_for_none(**ts)).count() as u64;
    }

    /// What is to be said, each a sentence with its count.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let Tally { count, example } = &self.identifiers;
        match count {
            0 => {}
            1 => notes.push(format!("1 identifier is a value that identifies nobody, '{example}': it is left out")),
            _ => notes.push(format!(
                "{count} identifiers are values that identify nobody, such as '{example}': they are left out"
            )),
        }
        notes.extend(self.first_long.as_ref().map(|first| match self.long_identifiers {
            1 => first.clone(),
            2 => format!("{first}, and so is 1 other"),
            count => format!("{first}, and so are {} others", count - 1),
        }));
        let Tally { count, example } = &self.order_numbers;
        match count {
            0 => {}
            1 => notes.push(format!("1 order number is a value that names no order, '{example}': its row has none")),
            _ => notes.push(format!(
                "{count} order numbers are values that name no order, such as '{example}': their rows have none"
            )),
        }
        let have = if self.unlikely_times == 1 { "row has" } else { "rows have" };
        if self.unlikely_times > 0 {
            notes.push(format!(
                "{} {have} a time of 1970-01-01 or 1900-01-01, which programs write where there is none: it counts as it is \
                 written; a row whose time is empty is rejected",
                self.unlikely_times
            ));
        }
        if self.rows > 0 && self.identified == 0 {
            notes.push(
                "no row has an identifier: the rows belong to no person; --map user_id=COLUMN or id.email=COLUMN says \
                 which column identifies persons"
                    .to_owned(),
            );
        }
        notes
    }
}

/// Whether a time is the first moment of a calendar, in whatever zone: 0 of Unix, or 0 of a spreadsheet.
fn stands_for_none(ts: i64) -> bool {
    const UNIX: i64 = 0;
    const SPREADSHEETS: i64 = -2_208_988_800_000_000;
    /// No zone is farther from UTC.
    const REACH: u64 = 14 * 3_600_000_000;
    [UNIX, SPREADSHEETS].into_iter().any(|start| ts.abs_diff(start) <= REACH)
}
