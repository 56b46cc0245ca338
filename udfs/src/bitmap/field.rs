//! The Arrow type of a bitmap: Binary with an extension name, so that clients know what the bytes are.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};

/// Extension name of portable 32-bit Roaring bytes, as field metadata.
pub const EXTENSION_NAME: &str = "convoke.roaring32";

const EXTENSION_KEY: &str = "ARROW:extension:name";

/// A column of bitmaps. Functions must accept plain binary columns, too: casts and CASE lose the metadata.
pub fn bitmap_field(name: &str, nullable: bool) -> FieldRef {
    let metadata = HashMap::from([(EXTENSION_KEY.to_owned(), EXTENSION_NAME.to_owned())]);
    Arc::new(Field::new(name, DataType::Binary, nullable).with_metadata(metadata))
}
