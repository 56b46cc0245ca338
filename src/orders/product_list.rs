//! How long the list of an event's products may be: one of three bytes takes a hundred times as much when it is read. Must
//! not know what a product says.

use serde_json::value::RawValue;

use super::picked::first_elements;

/// Products of one event at most.
pub const MOST_PRODUCTS: usize = 10_000;

/// Whether properties may have more: looks at what costs little, and suspects too many rather than too few.
pub fn may_have_too_many_products(properties: &str) -> bool {
    properties.len() > 2 * MOST_PRODUCTS && properties.bytes().filter(|byte| *byte == b',').count() >= MOST_PRODUCTS
}

/// A list as it is written.
pub(super) enum ProductList<'a> {
    Products(Vec<&'a RawValue>),
    /// Nothing is made of it.
    TooLong,
}

impl<'a> ProductList<'a> {
    /// `None` for what is no array.
    pub(super) fn of(value: &'a RawValue) -> Option<Self> {
        let elements = first_elements(value, MOST_PRODUCTS + 1)?;
        Some(if elements.len() > MOST_PRODUCTS { Self::TooLong } else { Self::Products(elements) })
    }
}

#[cfg(test)]
mod tests {
    use super::super::statement::{OwnLine, read_statement};
    use super::*;

    fn list(count: usize) -> String {
        format!("[{}]", vec![r#"{"price":1}"#; count].join(","))
    }

    #[test]
    fn a_list_that_is_too_long_is_not_read_and_said_to_be() {
        for as_text in [false, true] {
            let properties = |count: usize| match as_text {
                false => format!(r#"{{"total":7,"products":{}}}"#, list(count)),
                // As a cell of a CSV file has it.
                true => serde_json::json!({"total": 7, "products": list(count)}).to_string(),
            };
            let said = |count| read_statement(Some(&properties(count)), OwnLine::default());
            let (most, more) = (said(MOST_PRODUCTS), said(MOST_PRODUCTS + 1));
            assert_eq!((most.products.len(), most.has_too_many_products), (10_000, false));
            assert_eq!((more.products.len(), more.has_too_many_products, more.amount), (0, true, Some(70_000)));
            assert!(may_have_too_many_products(&properties(MOST_PRODUCTS + 1)));
            assert!(!may_have_too_many_products(&properties(MOST_PRODUCTS / 2)));
        }
    }

    /// What has no products leaves them to the next property; what has too many does not.
    #[test]
    fn the_first_list_that_has_products_counts() {
        let one = r#"[{"price":5}]"#;
        for absent in ["[]", "[null]", "3", r#""[]""#, r#""none""#] {
            let said = |next: &str| {
                read_statement(Some(&format!(r#"{{"products":{absent},"items":{next}}}"#)), OwnLine::default())
            };
            assert_eq!((said(one).products.len(), said(one).has_too_many_products), (1, false), "{absent}");
            assert!(said(&list(MOST_PRODUCTS + 1)).has_too_many_products, "{absent}");
        }
        let long = format!(r#"{{"products":{},"items":{one}}}"#, list(MOST_PRODUCTS + 1));
        let said = read_statement(Some(&long), OwnLine::default());
        assert_eq!((said.products.len(), said.has_too_many_products), (0, true));
    }

    #[test]
    fn elements_behind_the_first_ones_are_not_looked_at() {
        let of = |text: &str| {
            let value: Box<RawValue> = serde_json::from_str(text).unwrap();
            first_elements(&value, 2)
                .map(|found| found.iter().map(|element| element.get().to_owned()).collect::<Vec<String>>())
        };
        let some = |texts: &[&str]| Some(texts.iter().map(|text| (*text).to_owned()).collect::<Vec<String>>());
        assert_eq!(of("[]"), some(&[]));
        assert_eq!(of("[1]"), some(&["1"]));
        assert_eq!(of("[1, [2]]"), some(&["1", "[2]"]));
        assert_eq!(of("[1, 2, 3]"), some(&["1", "2"]));
        assert_eq!(of("{}"), None);
    }
}
