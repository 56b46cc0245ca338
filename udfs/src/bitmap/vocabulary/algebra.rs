//! Set algebra of any number of bitmaps: `bitmap_and`, `bitmap_or`, `bitmap_xor`, `bitmap_andnot`, `bitmap_threshold`.

use super::function::{Argument, Function, Kind, Meaning, Operator};

pub(super) const LEAST: Argument = Argument::new("k", Kind::Least, "how many of the sets must have a member, from 1");

pub(super) static FUNCTIONS: [Function; 5] = [
    Function {
        name: "bitmap_and",
        aliases: &["rb_and", "bitmapand"],
        syntax: "bitmap_and(b1, ..., bk)",
        arguments: &[],
        sets: Some(1),
        meaning: Meaning::Set(Operator::And),
        description: "The members that all sets have.",
        example: "SELECT bitmap_and(buyers, subscribers, members) FROM sets",
    },
    Function {
        name: "bitmap_or",
        aliases: &["rb_or", "bitmapor"],
        syntax: "bitmap_or(b1, ..., bk)",
        arguments: &[],
        sets: Some(1),
        meaning: Meaning::Set(Operator::Or),
        description: "The members that any of the sets has.",
        example: "SELECT bitmap_or(buyers, subscribers) FROM sets",
    },
    Function {
        name: "bitmap_xor",
        aliases: &["rb_xor", "bitmapxor"],
        syntax: "bitmap_xor(b1, ..., bk)",
        arguments: &[],
        sets: Some(1),
        meaning: Meaning::Set(Operator::Xor),
        description: "The members that an odd number of the sets has; of two sets: that one has and the other has not.",
        example: "SELECT bitmap_xor(yesterday, today) FROM sets",
    },
    Function {
        name: "bitmap_andnot",
        aliases: &["bitmap_and_not", "rb_andnot", "bitmapandnot"],
        syntax: "bitmap_andnot(b1, b2, ...)",
        arguments: &[],
        sets: Some(2),
        meaning: Meaning::Set(Operator::AndNot),
        description: "The members of the first set that none of the others has.",
        example: "SELECT bitmap_andnot(buyers, unsubscribed, complained) FROM sets",
    },
    Function {
        name: "bitmap_threshold",
        aliases: &[],
        syntax: "bitmap_threshold(k, b1, ..., bn)",
        arguments: &[LEAST],
        sets: Some(1),
        meaning: Meaning::Set(Operator::Threshold),
        description: "The members that at least k of the sets have. A set that is given twice counts twice.",
        example: "SELECT bitmap_threshold(2, opened, clicked, visited) FROM sets",
    },
];
