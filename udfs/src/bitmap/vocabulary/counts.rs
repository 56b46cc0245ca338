//! Numbers of members, without building what is counted: `bitmap_count` and the counts of the algebra.

use super::algebra::LEAST;
use super::function::{Argument, Function, Kind, Meaning, Operator, TwoSets};

pub(super) static FUNCTIONS: [Function; 7] = [
    Function {
        name: "bitmap_count",
        aliases: &["bitmap_cardinality", "rb_cardinality", "bitmapcardinality"],
        syntax: "bitmap_count(b)",
        arguments: &[Argument::new("b", Kind::Set, "a bitmap")],
        sets: None,
        meaning: Meaning::Count(Operator::Only),
        description: "How many members the set has. Around other bitmap functions it counts without building their results.",
        example: "SELECT bitmap_count(bitmap_and(buyers, bitmap_or(members, subscribers))) FROM sets",
    },
    Function {
        name: "bitmap_and_count",
        aliases: &["rb_and_cardinality", "bitmapandcardinality"],
        syntax: "bitmap_and_count(b1, ..., bk)",
        arguments: &[],
        sets: Some(1),
        meaning: Meaning::Count(Operator::And),
        description: "How many members all sets have in common.",
        example: "SELECT bitmap_and_count(buyers, subscribers) FROM sets",
    },
    Function {
        name: "bitmap_or_count",
        aliases: &["rb_or_cardinality", "bitmaporcardinality"],
        syntax: "bitmap_or_count(b1, ..., bk)",
        arguments: &[],
        sets: Some(1),
        meaning: Meaning::Count(Operator::Or),
        description: "How many members any of the sets has, each counted once.",
        example: "SELECT bitmap_or_count(buyers, subscribers) FROM sets",
    },
    Function {
        name: "bitmap_xor_count",
        aliases: &["rb_xor_cardinality", "bitmapxorcardinality"],
        syntax: "bitmap_xor_count(b1, ..., bk)",
        arguments: &[],
        sets: Some(1),
        meaning: Meaning::Count(Operator::Xor),
        description: "How many members an odd number of the sets has.",
        example: "SELECT bitmap_xor_count(yesterday, today) FROM sets",
    },
    Function {
        name: "bitmap_andnot_count",
        aliases: &["bitmap_and_not_count", "rb_andnot_cardinality", "bitmapandnotcardinality"],
        syntax: "bitmap_andnot_count(b1, b2, ...)",
        arguments: &[],
        sets: Some(2),
        meaning: Meaning::Count(Operator::AndNot),
        description: "How many members of the first set none of the others has.",
        example: "SELECT bitmap_andnot_count(buyers, unsubscribed) FROM sets",
    },
    Function {
        name: "bitmap_threshold_count",
        aliases: &[],
        syntax: "bitmap_threshold_count(k, b1, ..., bn)",
        arguments: &[LEAST],
        sets: Some(1),
        meaning: Meaning::Count(Operator::Threshold),
        description: "How many members at least k of the sets have.",
        example: "SELECT bitmap_threshold_count(2, opened, clicked, visited) FROM sets",
    },
    // Without the name rb_jaccard_dist: that one gives the same number, but its name says the opposite.
    Function {
        name: "bitmap_jaccard",
        aliases: &[],
        syntax: "bitmap_jaccard(a, b)",
        arguments: &[Argument::new("a", Kind::Set, "a bitmap"), Argument::new("b", Kind::Set, "a bitmap")],
        sets: None,
        meaning: Meaning::Two(TwoSets::Jaccard),
        description: "How alike two sets are: the members of both over the members of either, from 0 to 1. Two empty sets \
                      give 0.",
        example: "SELECT bitmap_jaccard(buyers, subscribers) FROM sets",
    },
];
