//! The aggregates that are one operator over a column: what each takes, does and returns.

use super::super::declared::{Argument, Kind};
use crate::kernel::Operator;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Input {
    Numbers,
    Bitmaps,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    Bitmap,
    Count,
}

#[derive(Debug)]
pub(super) struct Shape {
    pub(super) name: &'static str,
    pub(super) aliases: &'static [&'static str],
    pub(super) arguments: [Argument; 1],
    pub(super) input: Input,
    pub(super) operator: Operator,
    pub(super) output: Output,
    pub(super) description: &'static str,
    pub(super) example: &'static str,
}

const BITMAP: [Argument; 1] = [Argument { name: "b", kind: Kind::Bitmap, meaning: "bitmaps; NULLs are skipped" }];

pub(super) static SHAPES: [Shape; 6] = [
    Shape {
        name: "bitmap_agg",
        aliases: &["rb_build_agg"],
        arguments: [Argument { name: "x", kind: Kind::Integer, meaning: "numbers, such as person; NULLs are skipped" }],
        input: Input::Numbers,
        operator: Operator::Or,
        output: Output::Bitmap,
        description: "The set of the numbers of all rows, each from 0 to 4294967295; an empty set without rows.",
        example: "SELECT city, bitmap_agg(person) FROM persons GROUP BY city",
    },
    Shape {
        name: "bitmap_union",
        aliases: &["rb_or_agg"],
        arguments: BITMAP,
        input: Input::Bitmaps,
        operator: Operator::Or,
        output: Output::Bitmap,
        description: "Members of any of the sets; an empty set without rows.",
        example: "SELECT bitmap_union(b) FROM sets",
    },
    Shape {
        name: "bitmap_intersect",
        aliases: &["rb_and_agg"],
        arguments: BITMAP,
        input: Input::Bitmaps,
        operator: Operator::And,
        output: Output::Bitmap,
        description: "Members of all of the sets; NULL without rows.",
        example: "SELECT bitmap_intersect(b) FROM sets",
    },
    Shape {
        name: "bitmap_xor_agg",
        aliases: &["rb_xor_agg"],
        arguments: BITMAP,
        input: Input::Bitmaps,
        operator: Operator::Xor,
        output: Output::Bitmap,
        description: "Members of an odd number of the sets; an empty set without rows.",
        example: "SELECT bitmap_xor_agg(b) FROM sets",
    },
    Shape {
        name: "bitmap_union_count",
        aliases: &["rb_or_cardinality_agg"],
        arguments: BITMAP,
        input: Input::Bitmaps,
        operator: Operator::Or,
        output: Output::Count,
        description: "How many members the union of the sets has; 0 without rows.",
        example: "SELECT day, bitmap_union_count(visitors) FROM visits GROUP BY day",
    },
    Shape {
        name: "bitmap_intersect_count",
        aliases: &["rb_and_cardinality_agg"],
        arguments: BITMAP,
        input: Input::Bitmaps,
        operator: Operator::And,
        output: Output::Count,
        description: "How many members all of the sets share; 0 without rows.",
        example: "SELECT bitmap_intersect_count(visitors) FROM visits WHERE day >= '2026-01-01'",
    },
];
