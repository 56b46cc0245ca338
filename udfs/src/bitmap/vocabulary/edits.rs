//! Small changes of a set: `bitmap_flip`, `bitmap_add`, `bitmap_remove`.

use super::function::{Argument, Function, Kind, Meaning, Operator};

const B: Argument = Argument::new("b", Kind::Set, "a bitmap");
const X: Argument = Argument::new("x", Kind::Element, "a number from 0 to 4294967295");

pub(super) static FUNCTIONS: [Function; 3] = [
    Function {
        name: "bitmap_flip",
        aliases: &["rb_flip"],
        syntax: "bitmap_flip(b, from, to)",
        arguments: &[
            B,
            Argument::new("from", Kind::Bound, "the first number that is flipped"),
            Argument::new("to", Kind::Bound, "the number before which the range ends, up to 4294967296"),
        ],
        sets: None,
        meaning: Meaning::Set(Operator::Flip),
        description: "The set with the numbers from one up to, not including, another turned round: members go, others come.",
        example: "SELECT bitmap_flip(buyers, 0, 1000) FROM sets",
    },
    Function {
        name: "bitmap_add",
        aliases: &["rb_add"],
        syntax: "bitmap_add(b, x)",
        arguments: &[B, X],
        sets: None,
        meaning: Meaning::Set(Operator::Add),
        description: "The set with one more member; the same set where the number is a member.",
        example: "SELECT bitmap_add(buyers, 42) FROM sets",
    },
    Function {
        name: "bitmap_remove",
        aliases: &["rb_remove"],
        syntax: "bitmap_remove(b, x)",
        arguments: &[B, X],
        sets: None,
        meaning: Meaning::Set(Operator::Remove),
        description: "The set without a number; the same set where the number is no member.",
        example: "SELECT bitmap_remove(buyers, 42) FROM sets",
    },
];
