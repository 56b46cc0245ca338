//! Random nested bitmap expressions over a table with NULLs, three ways: as one fused call, call by call in a session
//! that does not simplify, and with the `roaring` crate.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BinaryViewArray, Int64Array, LargeBinaryArray, RecordBatch};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::prelude::{SessionConfig, SessionContext};
use proptest::prelude::*;
use roaring::RoaringBitmap;
use tokio::runtime::Runtime;

use crate::kernel_shapes::stored;

const COLUMNS: usize = 4;
const HIGHEST: u64 = 1 << 32;

/// A number: a literal or the column `n`.
#[derive(Clone, Copy, Debug)]
enum Number {
    Literal(u32),
    Column,
}

#[derive(Clone, Debug)]
enum Set {
    Column(usize),
    And(Vec<Set>),
    Or(Vec<Set>),
    Xor(Vec<Set>),
    AndNot(Vec<Set>),
    Threshold(u32, Vec<Set>),
    Within(Box<Set>, u64, u64),
    Flip(Box<Set>, u64, u64),
    Add(Box<Set>, Number),
    Remove(Box<Set>, Number),
}

#[derive(Clone, Debug)]
enum Question {
    Members(Set),
    Count(Set),
    /// The function with the count of its own, and the operator it counts.
    OwnCount(&'static str, Set),
    IsEmpty(Set),
    Contains(Set, Number),
    Min(Set),
    Max(Set),
    Rank(Set, Number),
    Select(Set, u32),
    Page(Set, u32, u32),
    LimitFrom(Set, Number, u32),
    HasAny(Set, Set),
    HasAll(Set, Set),
    Equals(Set, Set),
    Jaccard(Set, Set),
}

#[derive(Clone, Debug, PartialEq)]
enum Answer {
    Null,
    Set(RoaringBitmap),
    Integer(u64),
    Flag(bool),
    Ratio(f64),
}

/// One row of the table.
#[derive(Clone, Debug)]
struct Row {
    sets: Vec<Option<Vec<u8>>>,
    number: Option<u32>,
}

fn numbers() -> impl Strategy<Value = Number> {
    prop_oneof![2 => (0..300_000_u32).prop_map(Number::Literal), 1 => Just(Number::Literal(u32::MAX)), 1 => Just(Number::Column)]
}

fn bounds() -> impl Strategy<Value = (u64, u64)> {
    let bound =
        prop_oneof![4 => 0..300_000_u64, 1 => Just(65_536_u64), 1 => Just(HIGHEST - 70_000), 1 => Just(HIGHEST)];
    (bound.clone(), bound)
}

fn sets() -> impl Strategy<Value = Set> {
    (0..COLUMNS).prop_map(Set::Column).prop_recursive(4, 16, 4, |inner| {
        let operands = proptest::collection::vec(inner.clone(), 1..4);
        let several = proptest::collection::vec(inner.clone(), 2..4);
        let boxed = inner.prop_map(Box::new);
        prop_oneof![
            3 => operands.clone().prop_map(Set::And),
            3 => operands.clone().prop_map(Set::Or),
            2 => operands.clone().prop_map(Set::Xor),
            3 => several.prop_map(Set::AndNot),
            2 => (1..4_u32, operands).prop_map(|(k, operands)| Set::Threshold(k, operands)),
            1 => (boxed.clone(), bounds()).prop_map(|(set, (from, to))| Set::Within(set, from, to)),
            1 => (boxed.clone(), bounds()).prop_map(|(set, (from, to))| Set::Flip(set, from, to)),
            1 => (boxed.clone(), numbers()).prop_map(|(set, number)| Set::Add(set, number)),
            1 => (boxed, numbers()).prop_map(|(set, number)| Set::Remove(set, number)),
        ]
    })
}

fn questions() -> impl Strategy<Value = Question> {
    prop_oneof![
        4 => sets().prop_map(Question::Members),
        4 => sets().prop_map(Question::Count),
        3 => sets().prop_map(|set| match &set {
            Set::And(_) => Question::OwnCount("bitmap_and_count", set),
            Set::Or(_) => Question::OwnCount("bitmap_or_count", set),
            Set::Xor(_) => Question::OwnCount("bitmap_xor_count", set),
            Set::AndNot(_) => Question::OwnCount("bitmap_andnot_count", set),
            Set::Threshold(..) => Question::OwnCount("bitmap_threshold_count", set),
            _ => Question::IsEmpty(set),
        }),
        1 => (sets(), numbers()).prop_map(|(set, number)| Question::Contains(set, number)),
        1 => sets().prop_map(Question::Min),
        1 => sets().prop_map(Question::Max),
        1 => (sets(), numbers()).prop_map(|(set, number)| Question::Rank(set, number)),
        1 => (sets(), 0..5000_u32).prop_map(|(set, index)| Question::Select(set, index)),
        1 => (sets(), 0..5000_u32, 0..70_000_u32).prop_map(|(set, offset, n)| Question::Page(set, offset, n)),
        1 => (sets(), numbers(), 0..70_000_u32).prop_map(|(set, from, n)| Question::LimitFrom(set, from, n)),
        1 => (sets(), sets()).prop_map(|(a, b)| Question::HasAny(a, b)),
        1 => (sets(), sets()).prop_map(|(a, b)| Question::HasAll(a, b)),
        1 => (sets(), sets()).prop_map(|(a, b)| Question::Equals(a, b)),
        1 => (sets(), sets()).prop_map(|(a, b)| Question::Jaccard(a, b)),
    ]
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let set = proptest::option::weighted(0.85, stored().prop_map(|(_, bytes)| bytes));
    let row = (proptest::collection::vec(set, COLUMNS), proptest::option::weighted(0.85, 0..300_000_u32));
    proptest::collection::vec(row.prop_map(|(sets, number)| Row { sets, number }), 1..5)
}

fn list(sets: &[Set]) -> String {
    sets.iter().map(set_sql).collect::<Vec<_>>().join(", ")
}

fn number_sql(number: Number) -> String {
    match number {
        Number::Literal(number) => number.to_string(),
        Number::Column => "n".to_owned(),
    }
}

fn set_sql(set: &Set) -> String {
    match set {
        Set::Column(column) => format!("c{column}"),
        Set::And(sets) => format!("bitmap_and({})", list(sets)),
        Set::Or(sets) => format!("bitmap_or({})", list(sets)),
        Set::Xor(sets) => format!("bitmap_xor({})", list(sets)),
        Set::AndNot(sets) => format!("bitmap_andnot({})", list(sets)),
        Set::Threshold(k, sets) => format!("bitmap_threshold({k}, {})", list(sets)),
        Set::Within(set, from, to) => format!("bitmap_subset_in_range({}, {from}, {to})", set_sql(set)),
        Set::Flip(set, from, to) => format!("bitmap_flip({}, {from}, {to})", set_sql(set)),
        Set::Add(set, number) => format!("bitmap_add({}, {})", set_sql(set), number_sql(*number)),
        Set::Remove(set, number) => format!("bitmap_remove({}, {})", set_sql(set), number_sql(*number)),
    }
}

fn question_sql(question: &Question) -> String {
    match question {
        Question::Members(set) => set_sql(set),
        Question::Count(set) => format!("bitmap_count({})", set_sql(set)),
        Question::OwnCount(name, set) => {
            let sql = set_sql(set);
            format!("{name}({}", sql.split_once('(').unwrap().1)
        }
        Question::IsEmpty(set) => format!("bitmap_is_empty({})", set_sql(set)),
        Question::Contains(set, number) => format!("bitmap_contains({}, {})", set_sql(set), number_sql(*number)),
        Question::Min(set) => format!("bitmap_min({})", set_sql(set)),
        Question::Max(set) => format!("bitmap_max({})", set_sql(set)),
        Question::Rank(set, number) => format!("bitmap_rank({}, {})", set_sql(set), number_sql(*number)),
        Question::Select(set, index) => format!("bitmap_select({}, {index})", set_sql(set)),
        Question::Page(set, offset, n) => format!("sub_bitmap({}, {offset}, {n})", set_sql(set)),
        Question::LimitFrom(set, from, n) => {
            format!("bitmap_subset_limit({}, {}, {n})", set_sql(set), number_sql(*from))
        }
        Question::HasAny(a, b) => format!("bitmap_has_any({}, {})", set_sql(a), set_sql(b)),
        Question::HasAll(a, b) => format!("bitmap_has_all({}, {})", set_sql(a), set_sql(b)),
        Question::Equals(a, b) => format!("bitmap_equals({}, {})", set_sql(a), set_sql(b)),
        Question::Jaccard(a, b) => format!("bitmap_jaccard({}, {})", set_sql(a), set_sql(b)),
    }
}

fn number(number: Number, row: &Row) -> Option<u32> {
    match number {
        Number::Literal(number) => Some(number),
        Number::Column => row.number,
    }
}

fn range(from: u64, to: u64) -> RoaringBitmap {
    let mut set = RoaringBitmap::new();
    if from < to {
        set.insert_range(from as u32..=(to - 1) as u32);
    }
    set
}

/// The members by the `roaring` crate; none where anything is NULL.
fn members(set: &Set, row: &Row) -> Option<RoaringBitmap> {
    let all = |sets: &[Set]| sets.iter().map(|set| members(set, row)).collect::<Option<Vec<_>>>();
    let fold = |sets: &[Set], combine: fn(RoaringBitmap, RoaringBitmap) -> RoaringBitmap| {
        all(sets)?.into_iter().reduce(combine)
    };
    Some(match set {
        Set::Column(column) => RoaringBitmap::deserialize_from(row.sets[*column].as_deref()?).unwrap(),
        Set::And(sets) => fold(sets, |a, b| a & b)?,
        Set::Or(sets) => fold(sets, |a, b| a | b)?,
        Set::Xor(sets) => fold(sets, |a, b| a ^ b)?,
        Set::AndNot(sets) => fold(sets, |a, b| a - b)?,
        Set::Threshold(k, sets) => {
            // Members of at least j of the sets so far, for j from 1 to k.
            let mut at_least = vec![RoaringBitmap::new(); *k as usize];
            for set in all(sets)? {
                for j in (1..at_least.len()).rev() {
                    let more = &at_least[j - 1] & &set;
                    at_least[j] |= more;
                }
                at_least[0] |= set;
            }
            at_least.pop()?
        }
        Set::Within(set, from, to) => members(set, row)? & range(*from, *to),
        Set::Flip(set, from, to) => members(set, row)? ^ range(*from, *to),
        Set::Add(set, added) => {
            let (mut set, added) = (members(set, row)?, number(*added, row)?);
            set.insert(added);
            set
        }
        Set::Remove(set, removed) => {
            let (mut set, removed) = (members(set, row)?, number(*removed, row)?);
            set.remove(removed);
            set
        }
    })
}

fn expected(question: &Question, row: &Row) -> Option<Answer> {
    let of = |set: &Set| members(set, row);
    Some(match question {
        Question::Members(set) => Answer::Set(of(set)?),
        Question::Count(set) | Question::OwnCount(_, set) => Answer::Integer(of(set)?.len()),
        Question::IsEmpty(set) => Answer::Flag(of(set)?.is_empty()),
        Question::Contains(set, x) => Answer::Flag(of(set)?.contains(number(*x, row)?)),
        Question::Min(set) => Answer::Integer(u64::from(of(set)?.min()?)),
        Question::Max(set) => Answer::Integer(u64::from(of(set)?.max()?)),
        Question::Rank(set, x) => Answer::Integer(of(set)?.rank(number(*x, row)?)),
        Question::Select(set, index) => Answer::Integer(u64::from(of(set)?.select(*index)?)),
        Question::Page(set, offset, n) => {
            Answer::Set(of(set)?.iter().skip(*offset as usize).take(*n as usize).collect())
        }
        Question::LimitFrom(set, from, n) => {
            let (set, from) = (of(set)?, number(*from, row)?);
            Answer::Set((set & range(u64::from(from), HIGHEST)).iter().take(*n as usize).collect())
        }
        Question::HasAny(a, b) => Answer::Flag(!of(a)?.is_disjoint(&of(b)?)),
        Question::HasAll(a, b) => Answer::Flag(of(b)?.is_subset(&of(a)?)),
        Question::Equals(a, b) => Answer::Flag(of(a)? == of(b)?),
        Question::Jaccard(a, b) => {
            let (a, b) = (of(a)?, of(b)?);
            let either = a.union_len(&b);
            Answer::Ratio(if either == 0 { 0.0 } else { a.intersection_len(&b) as f64 / either as f64 })
        }
    })
}

/// The columns c0 (Binary), c1 (LargeBinary), c2 (BinaryView), c3 (Binary) and n.
fn table(rows: &[Row]) -> RecordBatch {
    let column = |place: usize| rows.iter().map(move |row| row.sets[place].as_deref());
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("c0", Arc::new(column(0).collect::<BinaryArray>())),
        ("c1", Arc::new(column(1).collect::<LargeBinaryArray>())),
        ("c2", Arc::new(column(2).collect::<BinaryViewArray>())),
        ("c3", Arc::new(column(3).collect::<BinaryArray>())),
        ("n", Arc::new(rows.iter().map(|row| row.number.map(i64::from)).collect::<Int64Array>())),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true))).unwrap()
}

fn session(fuses: bool, rows: &[Row]) -> SessionContext {
    let mut context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(1));
    convoke_udfs::register_all(&mut context).unwrap();
    if !fuses {
        assert!(context.remove_optimizer_rule("simplify_expressions"));
    }
    context.register_batch("t", table(rows)).unwrap();
    context
}

/// One column of results, and the text of the plan.
async fn run(context: &SessionContext, sql: &str) -> (Vec<ArrayRef>, String) {
    let frame = context.sql(sql).await.unwrap();
    let plan = context.state().optimize(frame.logical_plan()).unwrap().to_string();
    let batches = frame.collect().await.unwrap();
    (batches.iter().map(|batch| Arc::clone(batch.column(0))).collect(), plan)
}

fn answers(columns: &[ArrayRef]) -> Vec<Answer> {
    let answer = |column: &ArrayRef, row: usize| match column.data_type() {
        _ if column.is_null(row) => Answer::Null,
        DataType::Binary => Answer::Set(RoaringBitmap::deserialize_from(column.as_binary::<i32>().value(row)).unwrap()),
        DataType::LargeBinary => {
            Answer::Set(RoaringBitmap::deserialize_from(column.as_binary::<i64>().value(row)).unwrap())
        }
        DataType::BinaryView => {
            Answer::Set(RoaringBitmap::deserialize_from(column.as_binary_view().value(row)).unwrap())
        }
        DataType::Int64 => Answer::Integer(column.as_primitive::<Int64Type>().value(row) as u64),
        DataType::Boolean => Answer::Flag(column.as_boolean().value(row)),
        DataType::Float64 => Answer::Ratio(column.as_primitive::<Float64Type>().value(row)),
        other => panic!("{other}"),
    };
    columns.iter().flat_map(|column| (0..column.len()).map(|row| answer(column, row)).collect::<Vec<_>>()).collect()
}

/// Calls of the family outside of formulas.
fn calls(plan: &str) -> usize {
    let outside: String =
        plan.split("Utf8(\"").map(|part| part.split_once("\")").map_or(part, |(_, rest)| rest)).collect();
    outside.matches("bitmap").count()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn fused_calls_unfused_calls_and_the_roaring_crate_agree(rows in rows(), question in questions()) {
        let sql = format!("SELECT {} AS answer FROM t", question_sql(&question));
        let wanted: Vec<Answer> = rows.iter().map(|row| expected(&question, row).unwrap_or(Answer::Null)).collect();
        let runtime = Runtime::new().unwrap();
        let (fused, plan) = runtime.block_on(run(&session(true, &rows), &sql));
        let (unfused, unfused_plan) = runtime.block_on(run(&session(false, &rows), &sql));
        prop_assert!(calls(&plan) <= 1, "{}", plan);
        prop_assert!(!unfused_plan.contains("bitmap_fused"), "{}", unfused_plan);
        prop_assert_eq!(answers(&fused), wanted, "{}", &sql);
        // The same bytes, not only the same members.
        prop_assert_eq!(fused, unfused, "{}", sql);
    }
}
