//! `day, name`: festivals and sales days. A day may have several names, in one row or in several.

use std::path::Path;

use super::rows::{Columns, read};
use crate::error::Result;
use crate::workspace::reference::DayNames;

/// Longest name in bytes.
const MAX_NAME_BYTES: usize = 200;

/// # Errors
/// `InvalidInput` with the line of the first faulty row.
pub fn read_dates(path: &Path) -> Result<DayNames> {
    let mut found = DayNames::default();
    let columns = Columns { needed: &[&["day", "date"], &["name", "names"]], optional: &[] };
    read(path, columns, |row| {
        let (_, day) = row.day()?;
        if row.values(1).next().is_none() {
            return Err(row.fault("column 'name' is empty"));
        }
        let names = found.names.entry(day).or_default();
        for name in row.values(1) {
            if name.len() > MAX_NAME_BYTES {
                return Err(row.fault(format!("a name is longer than {MAX_NAME_BYTES} bytes")));
            }
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        Ok(())
    })?;
    Ok(found)
}
