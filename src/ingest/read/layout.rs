//! Which column of a file feeds which field of an event, for files whose columns are known before the first row.

use std::path::Path;

use super::field::{EventField, EventKind, FIELD_COUNT};
use super::mapping::Target;
use super::options::ReadOptions;
use crate::error::{Error, Result};
use crate::settings::similar_names;

/// Columns by number. A column without a role of its own is a property.
#[derive(Debug)]
pub struct Layout {
    /// By [`EventField::index`]: the columns of the field, more than one for the levels of a category only.
    fields: [Vec<usize>; FIELD_COUNT],
    /// (identifier type, column).
    pub identifiers: Vec<(String, usize)>,
    /// (key, column).
    pub properties: Vec<(String, usize)>,
}

impl Layout {
    pub fn resolve(options: &ReadOptions, columns: &[String], file: &Path) -> Result<Self> {
        let mut layout =
            Self { fields: std::array::from_fn(|_| Vec::new()), identifiers: Vec::new(), properties: Vec::new() };
        let mut taken = vec![false; columns.len()];
        for (target, names) in options.mapping.entries() {
            for name in names {
                let column = columns
                    .iter()
                    .position(|known| known == name)
                    .ok_or_else(|| missing_column(file, target, name, columns.iter().map(String::as_str)))?;
                taken[column] = true;
                match target {
                    Target::Field(field) => layout.fields[field.index()].push(column),
                    Target::Identifier(kind) => layout.identifiers.push((kind.clone(), column)),
                    Target::Property(key) => layout.properties.push((key.clone(), column)),
                }
            }
        }
        for field in EventField::all().filter(|field| !options.mapping.maps(*field)) {
            let named = |name: &str| columns.iter().position(|known| known == name);
            let column = named(field.name()).or_else(|| field.alias().and_then(named));
            if let Some(column) = column.filter(|column| !taken[*column]) {
                taken[column] = true;
                layout.fields[field.index()].push(column);
            }
        }
        let rest = columns.iter().enumerate().filter(|(column, _)| !taken[*column]);
        layout.properties.extend(rest.map(|(column, name)| (name.clone(), column)));
        layout.check(options, columns, file)?;
        Ok(layout)
    }

    /// Refuses a file of which every row would be rejected for the same reason.
    fn check(&self, options: &ReadOptions, columns: &[String], file: &Path) -> Result<()> {
        let columns = || columns_text(columns.iter().map(String::as_str));
        if self.field(EventField::Ts).is_empty() {
            return Err(Error::invalid(format!(
                "{}: no column holds the time of the event: add --map ts=COLUMN ({})",
                file.display(),
                columns()
            )));
        }
        let all_are_track =
            self.field(EventField::Kind).is_empty() && options.kind.unwrap_or_default() == EventKind::Track;
        if self.field(EventField::Event).is_empty() && options.event.is_none() && all_are_track {
            return Err(Error::invalid(format!(
                "{}: no column holds the name of the event: add --map event=COLUMN, or --event NAME for all rows, \
                 or --type identify for traits ({})",
                file.display(),
                columns()
            )));
        }
        Ok(())
    }

    pub fn field(&self, field: EventField) -> &[usize] {
        &self.fields[field.index()]
    }

    /// The columns by field, as messages name them: the field's own name where no column feeds it.
    pub fn column_names(&self, columns: &[String]) -> [String; FIELD_COUNT] {
        let mut names: [String; FIELD_COUNT] = std::array::from_fn(|_| String::new());
        for field in EventField::all() {
            let fed: Vec<&str> = self.field(field).iter().map(|column| columns[*column].as_str()).collect();
            names[field.index()] = if fed.is_empty() { field.name().to_owned() } else { fed.join("/") };
        }
        names
    }
}

/// The error for a mapping that names a column which the file lacks.
pub fn missing_column<'a>(
    file: &Path,
    target: &Target,
    name: &str,
    columns: impl Iterator<Item = &'a str> + Clone,
) -> Error {
    let similar = similar_names(name, columns.clone());
    let hint = if similar.is_empty() { String::new() } else { format!("did you mean {}? ", similar.join(" or ")) };
    Error::invalid(format!(
        "{}: no column '{name}' to map '{target}' from: {hint}({})",
        file.display(),
        columns_text(columns)
    ))
}

/// The columns of a file for a message, cut where the list gets long.
pub fn columns_text<'a>(columns: impl Iterator<Item = &'a str>) -> String {
    const SHOWN: usize = 50;
    let names: Vec<&str> = columns.collect();
    let more = if names.len() > SHOWN { format!(" and {} more", names.len() - SHOWN) } else { String::new() };
    format!("its columns are {}{more}", names[..names.len().min(SHOWN)].join(", "))
}
