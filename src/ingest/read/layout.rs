//! Which column of a file feeds which field of an event, for files whose columns are known before the first row.

use std::collections::HashMap;
use std::path::Path;

use super::draft::is_previous_id;
use super::field::{EventField, EventKind, FIELD_COUNT};
use super::files::Format;
use super::look_alike::{LookAlikes, Notes, escape};
use super::mapping::Target;
use super::options::ReadOptions;
use crate::error::{Error, Result};
use crate::orders;
use crate::settings::{currency_code, similar_names};

/// Columns by number. A column without a role of its own is a property.
#[derive(Debug)]
pub struct Layout {
    /// By [`EventField::index`]: the columns of the field, more than one for the levels of a category only.
    fields: [Vec<usize>; FIELD_COUNT],
    /// (identifier type, column).
    pub identifiers: Vec<(String, usize)>,
    /// The column of what an alias links its user to; a property, too.
    pub previous: Option<usize>,
    /// (key, column).
    pub properties: Vec<(String, usize)>,
}

impl Layout {
    pub fn resolve(options: &ReadOptions, columns: &[String], file: &Path, notes: &Notes) -> Result<Self> {
        let mut layout = Self {
            fields: std::array::from_fn(|_| Vec::new()),
            identifiers: Vec::new(),
            previous: None,
            properties: Vec::new(),
        };
        let mut taken = vec![false; columns.len()];
        for (target, names) in options.mapping.entries() {
            for name in names {
                let column = find_column(columns, name, file)?
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
            let free = columns.iter().enumerate().filter(|(column, _)| !taken[*column]);
            let named: Vec<usize> =
                free.filter(|(_, name)| field.name_match(name).is_some()).map(|(column, _)| column).collect();
            match *named {
                [] => {}
                [column] => {
                    taken[column] = true;
                    layout.fields[field.index()].push(column);
                }
                [first, second, ..] => {
                    return Err(field_twice(file, field, [&columns[first], &columns[second]]));
                }
            }
        }
        let mut previous = columns.iter().enumerate().filter(|(column, name)| !taken[*column] && is_previous_id(name));
        if let (Some((_, first)), Some((_, second))) = (previous.next(), previous.next()) {
            return Err(property_twice(file, [first, second]));
        }
        layout.previous = columns.iter().enumerate().position(|(column, name)| !taken[column] && is_previous_id(name));
        let rest = columns.iter().enumerate().filter(|(column, _)| !taken[*column]);
        let rest = rest.map(|(column, name)| (name.clone(), column));
        layout.note_look_alikes(rest.clone(), notes);
        layout.properties.extend(rest);
        layout.check_properties(columns, file)?;
        layout.check(options, columns, file)?;
        Ok(layout)
    }

    /// Says which of the columns without a role look like a field or an identifier that no column feeds.
    fn note_look_alikes(&self, unused: impl Iterator<Item = (String, usize)>, notes: &Notes) {
        let mut found = LookAlikes::default();
        for (name, _) in unused.filter(|(_, column)| Some(*column) != self.previous) {
            found.look_at(&name, |target| match target {
                Target::Field(field) => !self.field(*field).is_empty(),
                Target::Identifier(kind) => {
                    !self.field(EventField::Identifiers).is_empty()
                        || self.identifiers.iter().any(|(known, _)| known == kind)
                }
                Target::Property(_) => true,
            });
        }
        found.report(notes);
    }

    /// Refuses columns that are one property: one would be taken, and the other lost without a word. Properties of which
    /// nothing is read are kept as they are named.
    fn check_properties(&self, columns: &[String], file: &Path) -> Result<()> {
        let mut seen: HashMap<String, usize> = HashMap::new();
        for (key, column) in &self.properties {
            let name = if orders::is_read(key) { key.to_ascii_lowercase() } else { key.clone() };
            if let Some(twin) = seen.insert(name, *column) {
                return Err(property_twice(file, [&columns[twin], &columns[*column]]));
            }
        }
        Ok(())
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

    /// The columns of which numbers are read: those of fields, and of properties that say something of an order.
    pub fn number_columns(&self) -> Vec<usize> {
        let of_fields = EventField::all().filter(|field| field.is_number()).flat_map(|field| self.field(field));
        let of_orders = self.properties.iter().filter(|(key, _)| orders::is_read(key)).map(|(_, column)| column);
        of_fields.chain(of_orders).copied().collect()
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

/// The column of this name, or else the one that has it in another case.
fn find_column(columns: &[String], name: &str, file: &Path) -> Result<Option<usize>> {
    if let Some(column) = columns.iter().position(|known| known == name) {
        return Ok(Some(column));
    }
    let wanted = name.to_lowercase();
    let mut others = columns.iter().enumerate().filter(|(_, known)| known.to_lowercase() == wanted);
    match (others.next(), others.next()) {
        (Some((_, first)), Some((_, second))) => Err(Error::invalid(format!(
            "{}: both '{first}' and '{second}' may be the column '{name}': write it as the file does",
            file.display()
        ))),
        (first, _) => Ok(first.map(|(column, _)| column)),
    }
}

/// The error for two columns that feed the same field by their names.
fn field_twice(file: &Path, field: EventField, [first, second]: [&String; 2]) -> Error {
    let field = field.name();
    Error::invalid(format!(
        "{}: both '{first}' and '{second}' name the field {field}, and only one can be it: add --map '{field}={}' or --map \
         '{field}={}', and the other one becomes a property",
        file.display(),
        escape(first),
        escape(second)
    ))
}

/// The error for two columns that are one property by their names.
fn property_twice(file: &Path, [first, second]: [&String; 2]) -> Error {
    Error::invalid(format!(
        "{}: both '{first}' and '{second}' name one property that is read, and only one can be it: give the other one \
         another name, such as --map 'properties.other={}'",
        file.display(),
        escape(second)
    ))
}

/// The error for a mapping that names a column which the file lacks.
pub fn missing_column<'a>(
    file: &Path,
    target: &Target,
    name: &str,
    columns: impl Iterator<Item = &'a str> + Clone,
) -> Error {
    if let Some(advice) = nested_field(file, name, columns.clone()) {
        return Error::invalid(format!("{}: no column '{name}' to map '{target}' from: {advice}", file.display()));
    }
    let similar = similar_names(name, columns.clone());
    let hint = if similar.is_empty() { String::new() } else { format!("did you mean {}? ", similar.join(" or ")) };
    Error::invalid(format!(
        "{}: no column '{name}' to map '{target}' from: {hint}({}){}",
        file.display(),
        columns_text(columns),
        advise_on_constant(target, name).unwrap_or_default()
    ))
}

/// What to do where a mapping names the value that all rows shall have.
fn advise_on_constant(target: &Target, name: &str) -> Option<String> {
    let Target::Field(field) = target else { return None };
    let option = match field {
        EventField::Currency => {
            let code = currency_code(name)?.to_ascii_uppercase();
            return Some(format!(
                "; a mapping takes a column, no value: amounts without a currency are in the workspace's base_currency, \
                 which `convoke workspace set NAME base_currency={code}` makes {code}; where it is another one, write a \
                 column of {code} into the file"
            ));
        }
        EventField::Event => "event",
        EventField::Source => "source",
        EventField::Kind => "type",
        _ => return None,
    };
    Some(format!("; a mapping takes a column, no value: --{option} gives one to all rows without"))
}

/// What to do for a field inside of a column: a mapping takes whole columns.
fn nested_field<'a>(file: &Path, name: &str, mut columns: impl Iterator<Item = &'a str>) -> Option<String> {
    let (outer, inner) = name.split_once('.')?;
    if !columns.any(|column| column == outer) {
        return None;
    }
    let leaf = inner.rsplit('.').next().unwrap_or(inner);
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'));
    let example = match Format::of(file) {
        Ok(Format::Ndjson) if is_plain => format!(", for example with jq -c '.{leaf} = .{name}'"),
        _ => String::new(),
    };
    Some(format!(
        "it is a field inside of '{outer}', and only whole columns can be mapped: write it as a column of its own \
         first{example}, and map that"
    ))
}

/// The columns of a file for a message, cut where the list gets long.
pub fn columns_text<'a>(columns: impl Iterator<Item = &'a str>) -> String {
    const SHOWN: usize = 50;
    let names: Vec<&str> = columns.collect();
    let more = if names.len() > SHOWN { format!(" and {} more", names.len() - SHOWN) } else { String::new() };
    format!("its columns are {}{more}", names[..names.len().min(SHOWN)].join(", "))
}
