//! What a bitmap function is: its names, its arguments and its meaning over the kernel.

use arrow::datatypes::DataType;
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::{DocSection, Documentation};

use super::super::operand::is_binary;

/// What an argument is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A bitmap.
    Set,
    /// A number that can be a member.
    Element,
    /// Where a range begins, or ends before.
    Bound,
    /// How many, or after how many.
    Count,
    /// How many at the least: 0 would hold for every number there is.
    Least,
}

impl Kind {
    /// The lowest and the highest number, and what to say of others.
    pub(crate) fn limits(self) -> (i128, i128, &'static str) {
        match self {
            // A set is no number.
            Kind::Set => (0, -1, "it is a bitmap"),
            Kind::Element => (0, (1 << 32) - 1, "members are numbers from 0 to 4294967295"),
            Kind::Bound => (0, 1 << 32, "ranges lie within 0 and 4294967296"),
            Kind::Count => (0, i128::MAX, "it is a count, not below 0"),
            Kind::Least => (1, i128::MAX, "it is a count, not below 1"),
        }
    }

    /// The type that a given one is cast to, if it can be an argument of this kind.
    pub(crate) fn accepted(self, given: &DataType) -> Option<DataType> {
        match (self, given) {
            (_, DataType::Dictionary(_, value)) => self.accepted(value),
            (Kind::Set, DataType::Null | DataType::FixedSizeBinary(_)) => Some(DataType::Binary),
            (Kind::Set, given) => is_binary(given).then(|| given.clone()),
            (_, DataType::UInt64) => Some(DataType::UInt64),
            (_, DataType::Null) => Some(DataType::Int64),
            (_, given) => given.is_integer().then_some(DataType::Int64),
        }
    }

    fn wanted(self) -> &'static str {
        if self == Kind::Set { "a bitmap" } else { "an integer" }
    }
}

/// One declared argument.
#[derive(Debug)]
pub(crate) struct Argument {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) text: &'static str,
}

impl Argument {
    pub(crate) const fn new(name: &'static str, kind: Kind, text: &'static str) -> Self {
        Self { name, kind, text }
    }
}

/// How the arguments become one set. Numbers are taken from the arguments after, for `Threshold` before, the sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    /// The one that is given.
    Only,
    And,
    Or,
    Xor,
    AndNot,
    Threshold,
    Within,
    Flip,
    Add,
    Remove,
}

/// What is asked of one set, with the numbers after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OneSet {
    IsEmpty,
    Contains,
    Min,
    Max,
    Rank,
    Select,
    /// Members by rank, as a set.
    Page,
    /// Members from a value on, as a set.
    LimitFrom,
}

/// What is asked of two sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TwoSets {
    HasAny,
    HasAll,
    Equals,
    Jaccard,
}

/// What a function gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// A set that can be an operand of another function without being built.
    Set(Operator),
    /// The members of such a set.
    Count(Operator),
    One(OneSet),
    Two(TwoSets),
}

/// The type of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResultKind {
    Bitmap,
    Integer,
    Flag,
    Ratio,
}

/// One function of the family.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) aliases: &'static [&'static str],
    /// As messages and documentation show it.
    pub(crate) syntax: &'static str,
    pub(crate) arguments: &'static [Argument],
    /// After the arguments, any number of sets, but at least this many.
    pub(crate) sets: Option<usize>,
    pub(crate) meaning: Meaning,
    pub(crate) description: &'static str,
    pub(crate) example: &'static str,
}

impl Function {
    /// What the argument at this place (from 0) is; none beyond the last.
    pub(crate) fn kind(&self, place: usize) -> Option<Kind> {
        match self.arguments.get(place) {
            Some(argument) => Some(argument.kind),
            None => self.sets.map(|_| Kind::Set),
        }
    }

    fn argument_name(&self, place: usize) -> &'static str {
        self.arguments.get(place).map_or("bitmap", |argument| argument.name)
    }

    /// Whether this number of arguments can be given.
    pub(crate) fn takes(&self, arguments: usize) -> bool {
        match self.sets {
            Some(least) => arguments >= self.arguments.len() + least,
            None => arguments == self.arguments.len(),
        }
    }

    /// The types that the given ones are cast to.
    ///
    /// # Errors
    /// Has the function's signature when the number or the type of an argument is wrong.
    pub(crate) fn coerce(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        if !self.takes(given.len()) {
            return plan_err!("{}: {} arguments were given", self.syntax, given.len());
        }
        let coerced = given.iter().enumerate().map(|(place, given)| {
            // The number of arguments was looked at, so that each has a kind.
            let kind = self.kind(place).unwrap_or(Kind::Set);
            kind.accepted(given).map_or_else(|| self.refused(place, given), Ok)
        });
        coerced.collect()
    }

    /// An argument of the wrong type. `place` counts from 0, as everywhere but in messages.
    pub(crate) fn refused<T>(&self, place: usize, given: &DataType) -> Result<T> {
        let wanted = self.kind(place).unwrap_or(Kind::Set).wanted();
        let (syntax, name) = (self.syntax, self.argument_name(place));
        plan_err!("{syntax}: argument {} ({name}) is {given}, not {wanted}", place + 1)
    }

    pub(crate) fn result(&self) -> ResultKind {
        match self.meaning {
            Meaning::Set(_) | Meaning::One(OneSet::Page | OneSet::LimitFrom) => ResultKind::Bitmap,
            Meaning::One(OneSet::IsEmpty | OneSet::Contains) => ResultKind::Flag,
            Meaning::Count(_) | Meaning::One(_) => ResultKind::Integer,
            Meaning::Two(TwoSets::Jaccard) => ResultKind::Ratio,
            Meaning::Two(_) => ResultKind::Flag,
        }
    }

    /// Whether arguments that are not NULL can give NULL.
    pub(crate) fn may_find_nothing(&self) -> bool {
        matches!(self.meaning, Meaning::One(OneSet::Min | OneSet::Max | OneSet::Select))
    }

    pub(crate) fn documentation(&self) -> Documentation {
        let mut builder = Documentation::builder(DocSection::default(), self.description, self.syntax);
        for argument in self.arguments {
            builder = builder.with_argument(argument.name, argument.text);
        }
        if self.sets.is_some() {
            builder = builder.with_argument("b1, b2, ...", "bitmaps; NULL where any is NULL");
        }
        builder.with_sql_example(self.example).build()
    }
}
