//! Rows of texts for people: a table, or a line a value where the terminal is too narrow for its columns.
//!
//! Must not know where the rows come from.

use arrow::datatypes::{FieldRef, Schema};
use comfy_table::{Attribute, Cell, CellAlignment, ContentArrangement, Table, presets};

/// Characters of a column below which its values are broken beyond reading; shorter values need no more than they have.
const READABLE: usize = 12;
/// Blanks around each column.
const PADDING: usize = 2;
/// The lines on both sides.
const BORDERS: usize = 2;

/// Characters of a line of the terminal; `None` where standard output is none.
pub(super) fn terminal_width() -> Option<u16> {
    Table::new().width()
}

/// `width` is that of the terminal, if there is one.
pub(super) fn render(schema: &Schema, rows: &[Vec<String>], width: Option<u16>) -> String {
    match width {
        Some(width) if !rows.is_empty() && least_width(schema, rows) > usize::from(width) => lines(schema, rows),
        _ => table(schema, rows, width).to_string(),
    }
}

/// Characters of the narrowest table that can be read.
fn least_width(schema: &Schema, rows: &[Vec<String>]) -> usize {
    let of_column = |(at, field): (usize, &FieldRef)| {
        let values = rows.iter().filter_map(|row| row.get(at)).flat_map(|value| value.lines());
        let widest = values.chain([field.name().as_str()]).map(|line| line.chars().count()).max();
        widest.unwrap_or_default().min(READABLE) + PADDING
    };
    schema.fields().iter().enumerate().map(of_column).sum::<usize>() + BORDERS
}

fn table(schema: &Schema, rows: &[Vec<String>], width: Option<u16>) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_BORDERS_ONLY);
    if let Some(width) = width {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    table.set_header(schema.fields().iter().map(|field| Cell::new(field.name()).add_attribute(Attribute::Bold)));
    for (index, field) in schema.fields().iter().enumerate() {
        if field.data_type().is_numeric()
            && let Some(column) = table.column_mut(index)
        {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.add_rows(rows);
    table
}

/// A line a value, and a blank one between two rows.
fn lines(schema: &Schema, rows: &[Vec<String>]) -> String {
    let widest = schema.fields().iter().map(|field| field.name().chars().count()).max().unwrap_or_default() + 1;
    let further = format!("\n{}", " ".repeat(widest + 1));
    let of_row = |row: &Vec<String>| {
        let values = schema.fields().iter().zip(row).map(|(field, value)| {
            let name = format!("{}:", field.name());
            format!("{name:<widest$} {}", value.replace('\n', &further))
        });
        values.collect::<Vec<_>>().join("\n")
    };
    rows.iter().map(of_row).collect::<Vec<_>>().join("\n\n")
}

#[cfg(test)]
mod tests;
