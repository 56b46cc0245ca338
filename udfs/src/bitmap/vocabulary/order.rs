//! Members in ascending order: `bitmap_min`, `bitmap_max`, `bitmap_rank`, `bitmap_select`.

use super::function::{Argument, Function, Kind, Meaning, OneSet};

const B: Argument = Argument::new("b", Kind::Set, "a bitmap");

// ClickHouse's bitmapMin and bitmapMax give numbers for an empty set, so their names are not taken here; rb_select and
// rb_index of Postgres are other functions.
pub(super) static FUNCTIONS: [Function; 4] = [
    Function {
        name: "bitmap_min",
        aliases: &["rb_min"],
        syntax: "bitmap_min(b)",
        arguments: &[B],
        sets: None,
        meaning: Meaning::One(OneSet::Min),
        description: "The lowest member; NULL where the set is empty.",
        example: "SELECT bitmap_min(buyers) FROM sets",
    },
    Function {
        name: "bitmap_max",
        aliases: &["rb_max"],
        syntax: "bitmap_max(b)",
        arguments: &[B],
        sets: None,
        meaning: Meaning::One(OneSet::Max),
        description: "The highest member; NULL where the set is empty.",
        example: "SELECT bitmap_max(buyers) FROM sets",
    },
    Function {
        name: "bitmap_rank",
        aliases: &["rb_rank"],
        syntax: "bitmap_rank(b, x)",
        arguments: &[B, Argument::new("x", Kind::Element, "a number from 0 to 4294967295, a member or not")],
        sets: None,
        meaning: Meaning::One(OneSet::Rank),
        description: "How many members are not above the number.",
        example: "SELECT bitmap_rank(buyers, 42) FROM sets",
    },
    Function {
        name: "bitmap_select",
        aliases: &[],
        syntax: "bitmap_select(b, i)",
        arguments: &[B, Argument::new("i", Kind::Count, "how many members are below the one to find, from 0")],
        sets: None,
        meaning: Meaning::One(OneSet::Select),
        description: "The member with i members below it; NULL where there is none.",
        example: "SELECT bitmap_select(buyers, 0) FROM sets",
    },
];
