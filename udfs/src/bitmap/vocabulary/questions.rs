//! Questions with yes or no: `bitmap_contains`, `bitmap_has_any`, `bitmap_has_all`, `bitmap_is_empty`, `bitmap_equals`.

use super::function::{Argument, Function, Kind, Meaning, OneSet, TwoSets};

const A: Argument = Argument::new("a", Kind::Set, "a bitmap");
const B: Argument = Argument::new("b", Kind::Set, "a bitmap");

pub(super) static FUNCTIONS: [Function; 5] = [
    Function {
        name: "bitmap_contains",
        aliases: &["rb_contains", "bitmapcontains"],
        syntax: "bitmap_contains(b, x)",
        arguments: &[B, Argument::new("x", Kind::Element, "a number from 0 to 4294967295")],
        sets: None,
        meaning: Meaning::One(OneSet::Contains),
        description: "Whether the number is a member of the set.",
        example: "SELECT bitmap_contains(buyers, 42) FROM sets",
    },
    Function {
        name: "bitmap_has_any",
        aliases: &["rb_intersect", "bitmaphasany"],
        syntax: "bitmap_has_any(a, b)",
        arguments: &[A, B],
        sets: None,
        meaning: Meaning::Two(TwoSets::HasAny),
        description: "Whether the two sets share a member; stops at the first one.",
        example: "SELECT bitmap_has_any(buyers, complained) FROM sets",
    },
    Function {
        name: "bitmap_has_all",
        aliases: &["bitmaphasall"],
        syntax: "bitmap_has_all(a, b)",
        arguments: &[A, B],
        sets: None,
        meaning: Meaning::Two(TwoSets::HasAll),
        description: "Whether the first set has all members of the second; every set has all of an empty one.",
        example: "SELECT bitmap_has_all(members, buyers) FROM sets",
    },
    Function {
        name: "bitmap_is_empty",
        aliases: &["rb_is_empty"],
        syntax: "bitmap_is_empty(b)",
        arguments: &[B],
        sets: None,
        meaning: Meaning::One(OneSet::IsEmpty),
        description: "Whether the set has no member; stops at the first one.",
        example: "SELECT bitmap_is_empty(bitmap_and(buyers, complained)) FROM sets",
    },
    Function {
        name: "bitmap_equals",
        aliases: &["rb_equals"],
        syntax: "bitmap_equals(a, b)",
        arguments: &[A, B],
        sets: None,
        meaning: Meaning::Two(TwoSets::Equals),
        description: "Whether the two sets have the same members, however their bytes are laid out.",
        example: "SELECT bitmap_equals(yesterday, today) FROM sets",
    },
];
