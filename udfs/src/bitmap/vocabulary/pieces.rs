//! Pieces of a set, by value or by rank: `bitmap_subset_in_range`, `bitmap_subset_limit`, `sub_bitmap`.

use super::function::{Argument, Function, Kind, Meaning, OneSet, Operator};

const B: Argument = Argument::new("b", Kind::Set, "a bitmap");
const LIMIT: Argument = Argument::new("n", Kind::Count, "how many members at most, from 0");

pub(super) static FUNCTIONS: [Function; 3] = [
    Function {
        name: "bitmap_subset_in_range",
        aliases: &["rb_range", "bitmapsubsetinrange"],
        syntax: "bitmap_subset_in_range(b, from, to)",
        arguments: &[
            B,
            Argument::new("from", Kind::Bound, "the lowest number that is kept"),
            Argument::new("to", Kind::Bound, "the number before which the range ends, up to 4294967296"),
        ],
        sets: None,
        meaning: Meaning::Set(Operator::Within),
        description: "The members from a number up to, not including, another; empty where the range is.",
        example: "SELECT bitmap_subset_in_range(buyers, 0, 65536) FROM sets",
    },
    Function {
        name: "bitmap_subset_limit",
        aliases: &["bitmapsubsetlimit"],
        syntax: "bitmap_subset_limit(b, from_value, n)",
        arguments: &[B, Argument::new("from_value", Kind::Element, "the lowest number that is kept"), LIMIT],
        sets: None,
        meaning: Meaning::One(OneSet::LimitFrom),
        description: "The lowest n members that are not below a number.",
        example: "SELECT bitmap_subset_limit(buyers, 1000, 100) FROM sets",
    },
    Function {
        name: "sub_bitmap",
        aliases: &["subbitmap"],
        syntax: "sub_bitmap(b, offset, n)",
        arguments: &[
            B,
            Argument::new("offset", Kind::Count, "how many of the lowest members are left out, from 0"),
            LIMIT,
        ],
        sets: None,
        meaning: Meaning::One(OneSet::Page),
        description: "The n members after the lowest ones: a page of a set.",
        example: "SELECT sub_bitmap(buyers, 100, 50) FROM sets",
    },
];
