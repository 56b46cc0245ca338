//! `bitmap_to_string`, `bitmap_from_string`, `bitmap_to_base64`, `bitmap_from_base64`, `bitmap_from_binary`: sets as text,
//! and bytes that come in from outside, whose contents are checked here once.

use std::io::Write;

use arrow::array::ArrayRef;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use datafusion::common::{Result, exec_datafusion_err, exec_err};

use super::columns::{BytesColumn, Columns};
use super::declared::{Argument, Declaration, Kind, Returns};
use super::limit::{MOST_BYTES, too_large};
use super::operand::refused;
use crate::kernel::{BitmapRef, from_ids};

pub(super) static TO_STRING: Declaration = Declaration {
    name: "bitmap_to_string",
    aliases: &[],
    arguments: &[Argument { name: "b", kind: Kind::Bitmap, meaning: "a bitmap" }],
    returns: Returns::Text,
    evaluate: to_string,
    description: "The members in ascending order, separated by commas; an empty text for an empty set.",
    example: "SELECT bitmap_to_string(bitmap_from_array([5, 1, 9]))",
};

pub(super) static FROM_STRING: Declaration = Declaration {
    name: "bitmap_from_string",
    aliases: &[],
    arguments: &[Argument { name: "text", kind: Kind::Text, meaning: "whole numbers separated by commas" }],
    returns: Returns::Bitmap,
    evaluate: from_string,
    description: "The set of the numbers in a text, such as '1,5,9', in any order, with spaces or not. An empty text gives \
                  an empty set, anything but numbers from 0 to 4294967295 is an error.",
    example: "SELECT bitmap_count(bitmap_from_string('1,5,9'))",
};

pub(super) static TO_BASE64: Declaration = Declaration {
    name: "bitmap_to_base64",
    aliases: &[],
    arguments: &[Argument { name: "b", kind: Kind::Bitmap, meaning: "a bitmap" }],
    returns: Returns::Text,
    evaluate: to_base64,
    description: "The portable Roaring bytes of the set in base64 (RFC 4648, with padding).",
    example: "SELECT bitmap_to_base64(bitmap_from_string('1,5,9'))",
};

pub(super) static FROM_BASE64: Declaration = Declaration {
    name: "bitmap_from_base64",
    aliases: &["base64_to_bitmap"],
    arguments: &[Argument {
        name: "text",
        kind: Kind::Text,
        meaning: "portable 32-bit Roaring bytes in base64, with padding",
    }],
    returns: Returns::Bitmap,
    evaluate: from_base64,
    description: "The set whose portable 32-bit Roaring bytes a base64 text holds, as other Roaring libraries write them. \
                  The contents are checked fully; an error has the byte offset.",
    example: "SELECT bitmap_to_string(bitmap_from_base64('OjAAAAEAAAAAAAIAEAAAAAEABQAJAA=='))",
};

pub(super) static FROM_BINARY: Declaration = Declaration {
    name: "bitmap_from_binary",
    aliases: &[],
    arguments: &[Argument { name: "b", kind: Kind::Bitmap, meaning: "portable 32-bit Roaring bytes" }],
    returns: Returns::Bitmap,
    evaluate: from_binary,
    description: "Portable 32-bit Roaring bytes that come from elsewhere, as a bitmap. The contents are checked fully, \
                  which other functions leave out; an error has the byte offset. The bytes stay as they are.",
    example: "SELECT bitmap_count(bitmap_from_binary(x'3a300000010000000000020010000000010005000900'))",
};

fn to_string(columns: &Columns) -> Result<ArrayRef> {
    let bitmaps = columns.bitmaps(0)?;
    let mut result = BytesColumn::with_capacity(columns.rows);
    for row in 0..columns.rows {
        let Some(bitmap) = bitmaps.get(row)? else {
            result.push_null();
            continue;
        };
        // A member takes a digit and a comma at least.
        if 2 * bitmap.count() > MOST_BYTES {
            return Err(too_large(columns.function, MOST_BYTES));
        }
        let mut separator = "";
        bitmap.for_each(|id| {
            if result.values.len() as u64 <= MOST_BYTES {
                // Writing to memory does not fail.
                let _ = write!(result.values, "{separator}{id}");
                separator = ",";
            }
        });
        if result.values.len() as u64 > MOST_BYTES {
            return Err(too_large(columns.function, MOST_BYTES));
        }
        result.end_row();
    }
    result.finish_texts(columns.function)
}

fn from_string(columns: &Columns) -> Result<ArrayRef> {
    let (texts, function) = (columns.texts(0)?, columns.function);
    let mut result = BytesColumn::with_capacity(columns.rows);
    for row in 0..columns.rows {
        let Some(text) = texts.get(row) else {
            result.push_null();
            continue;
        };
        let items = text.split(',').filter(|_| !text.trim().is_empty());
        let ids = items.enumerate().map(|(place, item)| match item.trim().parse::<u32>() {
            Ok(id) => Ok(id),
            Err(_) => exec_err!(
                "{function}: argument 1: item {} is '{}', not a number from 0 to 4294967295",
                place + 1,
                shortened(item)
            ),
        });
        result.push(&from_ids(ids.collect::<Result<_>>()?));
    }
    result.finish(function)
}

/// What a message shows of a text that may be long.
fn shortened(text: &str) -> String {
    const MOST: usize = 40;
    if text.chars().count() <= MOST { text.to_owned() } else { text.chars().take(MOST).chain(['…']).collect() }
}

fn to_base64(columns: &Columns) -> Result<ArrayRef> {
    let bitmaps = columns.bitmaps(0)?;
    let mut result = BytesColumn::with_capacity(columns.rows);
    let mut text = String::new();
    for row in 0..columns.rows {
        let Some(bitmap) = bitmaps.get(row)? else {
            result.push_null();
            continue;
        };
        text.clear();
        STANDARD.encode_string(bitmap.as_bytes(), &mut text);
        if (result.values.len() + text.len()) as u64 > MOST_BYTES {
            return Err(too_large(columns.function, MOST_BYTES));
        }
        result.push(text.as_bytes());
    }
    result.finish_texts(columns.function)
}

fn from_base64(columns: &Columns) -> Result<ArrayRef> {
    let (texts, function) = (columns.texts(0)?, columns.function);
    let mut result = BytesColumn::with_capacity(columns.rows);
    for row in 0..columns.rows {
        let Some(text) = texts.get(row) else {
            result.push_null();
            continue;
        };
        let bytes = STANDARD.decode(text.trim());
        let bytes = bytes.map_err(|error| exec_datafusion_err!("{function}: argument 1 is not base64: {error}"))?;
        result.push(checked(function, &bytes)?);
    }
    result.finish(function)
}

fn from_binary(columns: &Columns) -> Result<ArrayRef> {
    let (bitmaps, function) = (columns.bitmaps(0)?, columns.function);
    let mut result = BytesColumn::with_capacity(columns.rows);
    for row in 0..columns.rows {
        match bitmaps.bytes(row) {
            Some(bytes) => result.push(checked(function, bytes)?),
            None => result.push_null(),
        }
    }
    result.finish(function)
}

fn checked<'a>(function: &str, bytes: &'a [u8]) -> Result<&'a [u8]> {
    let content = BitmapRef::new(bytes).and_then(|bitmap| bitmap.check_contents());
    content.map(|()| bytes).map_err(|error| refused(function, 1, &error))
}
