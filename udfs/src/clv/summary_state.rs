//! The orders of many customers, summed by period: the state of `clv_summary`. A customer's orders mostly come apart from
//! each other, so entries are appended and brought together now and then.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Builder, Int64Array, Int64Builder, LargeBinaryBuilder, StructArray,
    TimestampMicrosecondArray,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{Date32Type, Decimal128Type, Int64Type, TimestampMicrosecondType};
use chrono_tz::Tz;
use datafusion::common::{Result, ScalarValue, exec_err, resources_err};
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};

use super::summary::{NAME, SCALE, fields};
use super::summary_rule::Rule;
use crate::local_time::LocalDays;

/// Entries that may be appended before they are first brought together.
const ROOM: usize = 1 << 16;

/// What was ordered in one period, in ten-thousandths.
#[derive(Debug, Clone, Copy)]
struct Entry {
    customer: u32,
    period: i32,
    sum: i128,
}

/// What is known of a customer beside the entries.
#[derive(Debug, Clone, Copy)]
struct Customer {
    rule: Option<Rule>,
    /// First and last instant of an order; crossed while there is none.
    first: i64,
    last: i64,
}

const NOBODY: Customer = Customer { rule: None, first: i64::MAX, last: i64::MIN };

fn too_large<T>() -> Result<T> {
    exec_err!("{NAME}: the amounts of a customer add up to more than 128 bits hold")
}

/// Serves as both kinds of accumulator; as a plain one it has the one customer 0.
#[derive(Debug, Clone)]
pub(super) struct Customers {
    days: LocalDays,
    customers: Vec<Customer>,
    entries: Vec<Entry>,
    /// So many entries in front are in order and have a key each of their own.
    together: usize,
}

impl Customers {
    pub(super) fn new(zone: Tz) -> Self {
        Self { days: LocalDays::new(zone), customers: Vec::new(), entries: Vec::new(), together: 0 }
    }

    fn set_count(&mut self, count: usize) {
        if self.customers.len() < count {
            self.customers.resize(count, NOBODY);
        }
    }

    fn set_rule(&mut self, customer: usize, rule: Rule) -> Result<()> {
        match self.customers[customer].rule.replace(rule) {
            Some(held) if held != rule => {
                exec_err!("{NAME}: as_of, period and unit must be the same for all rows of a customer")
            }
            _ => Ok(()),
        }
    }

    fn add(&mut self, customer: usize, period: i32, sum: i128) -> Result<()> {
        let Ok(customer) = u32::try_from(customer) else {
            return resources_err!("{NAME}: more than 2^32 customers");
        };
        self.entries.push(Entry { customer, period, sum });
        if self.entries.len() > ROOM + 2 * self.together {
            self.bring_together()?;
        }
        Ok(())
    }

    /// One entry for each customer and period, in order. Whether sums near the limit of 128 bits pass depends on the
    /// order in which they meet.
    fn bring_together(&mut self) -> Result<()> {
        if self.together == self.entries.len() {
            return Ok(());
        }
        self.entries.sort_unstable_by_key(|entry| (entry.customer, entry.period));
        let mut overflowed = false;
        self.entries.dedup_by(|next, held| {
            let same = (next.customer, next.period) == (held.customer, held.period);
            if same {
                match held.sum.checked_add(next.sum) {
                    Some(sum) => held.sum = sum,
                    None => overflowed = true,
                }
            }
            same
        });
        self.together = self.entries.len();
        if overflowed { too_large() } else { Ok(()) }
    }

    fn update(
        &mut self,
        values: &[ArrayRef],
        filter: Option<&BooleanArray>,
        customer_of: impl Fn(usize) -> usize,
    ) -> Result<()> {
        let amounts = values[1].as_primitive::<Decimal128Type>();
        let rules = Rules::new(values);
        let mut held = None;
        for row in 0..values[0].len() {
            let wanted = filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
            if !wanted || values[0].is_null(row) || values[2].is_null(row) {
                continue;
            }
            let (customer, rule) = (customer_of(row), rules.of(row, &mut held, &mut self.days)?);
            self.set_rule(customer, rule)?;
            let (day, instant) = match values[0].as_primitive_opt::<Date32Type>() {
                // The first instant of a day is the end of the day before.
                Some(dates) => (dates.value(row), self.days.end_of(dates.value(row).saturating_sub(1))),
                None => {
                    let instant = values[0].as_primitive::<TimestampMicrosecondType>().value(row);
                    (self.days.day_of(instant), instant)
                }
            };
            if instant < rule.end {
                let amount = if amounts.is_null(row) { 0 } else { amounts.value(row) };
                let seen = &mut self.customers[customer];
                (seen.first, seen.last) = (seen.first.min(instant), seen.last.max(instant));
                self.add(customer, rule.period.number(day), amount)?;
            }
        }
        Ok(())
    }

    /// Takes in states of [`Summaries::states`].
    fn merge(&mut self, states: &[ArrayRef], customer_of: impl Fn(usize) -> usize) -> Result<()> {
        let (periods, rules) = (states[0].as_binary::<i64>(), states[3].as_binary::<i64>());
        let (first, last) = (states[1].as_primitive::<Int64Type>(), states[2].as_primitive::<Int64Type>());
        for row in 0..periods.len() {
            if rules.is_null(row) || first.is_null(row) || last.is_null(row) {
                continue;
            }
            let damaged = || exec_err!("{NAME}: a state is damaged");
            let Some(rule) = Rule::from_bytes(rules.value(row)) else { return damaged() };
            let customer = customer_of(row);
            self.set_rule(customer, rule)?;
            let seen = &mut self.customers[customer];
            (seen.first, seen.last) = (seen.first.min(first.value(row)), seen.last.max(last.value(row)));
            let mut rest = periods.value(row);
            while let Some((period, after)) = rest.split_first_chunk() {
                let Some((sum, after)) = after.split_first_chunk() else { return damaged() };
                self.add(customer, i32::from_le_bytes(*period), i128::from_le_bytes(*sum))?;
                rest = after;
            }
            if !rest.is_empty() {
                return damaged();
            }
        }
        Ok(())
    }

    /// What `make` makes of the customers that are emitted; the others move down.
    fn take<T>(&mut self, emit: EmitTo, make: impl FnOnce(Summaries<'_>) -> Result<T>) -> Result<T> {
        self.bring_together()?;
        let customers = emit.take_needed(&mut self.customers);
        let emitted = customers.len();
        let later = self.entries.partition_point(|entry| (entry.customer as usize) < emitted);
        let made = make(Summaries { customers: &customers, entries: &self.entries[..later] });
        self.entries.drain(..later);
        // At most 2^32 customers were given numbers.
        self.entries.iter_mut().for_each(|entry| entry.customer -= emitted as u32);
        self.together = self.entries.len();
        made
    }

    /// The one customer of a plain accumulator. The state stays: a window asks again after more rows.
    fn only(&mut self) -> Result<Summaries<'_>> {
        self.set_count(1);
        self.bring_together()?;
        Ok(Summaries { customers: &self.customers, entries: &self.entries })
    }

    fn size(&self) -> usize {
        size_of_val(self)
            + self.customers.capacity() * size_of::<Customer>()
            + self.entries.capacity() * size_of::<Entry>()
            + self.days.heap_size()
    }
}

/// Customers with their entries in order.
struct Summaries<'a> {
    customers: &'a [Customer],
    entries: &'a [Entry],
}

impl Summaries<'_> {
    /// Each customer with its entries.
    fn each(&self) -> impl Iterator<Item = (&Customer, &[Entry])> {
        let mut rest = self.entries;
        self.customers.iter().enumerate().map(move |(number, customer)| {
            let (own, after) = rest.split_at(rest.iter().take_while(|entry| entry.customer as usize == number).count());
            rest = after;
            (customer, own)
        })
    }

    fn values(&self) -> Result<ArrayRef> {
        let count = self.customers.len();
        let mut frequency = Int64Builder::with_capacity(count);
        let [mut recency, mut age, mut mean] = std::array::from_fn(|_| Float64Builder::with_capacity(count));
        for (customer, entries) in self.each() {
            let (Some(rule), [first, repeats @ ..]) = (customer.rule, entries) else {
                frequency.append_null();
                [&mut recency, &mut age, &mut mean].into_iter().for_each(Float64Builder::append_null);
                continue;
            };
            let since = |period: i32| f64::from(period - first.period) * rule.units;
            let Some(spent) = repeats.iter().try_fold(0_i128, |sum, entry| sum.checked_add(entry.sum)) else {
                return too_large();
            };
            let spent = spent as f64 / 10_f64.powi(i32::from(SCALE));
            frequency.append_value(repeats.len() as i64);
            recency.append_value(since(repeats.last().unwrap_or(first).period));
            age.append_value(since(rule.period.number(rule.last_day)));
            mean.append_option((!repeats.is_empty()).then(|| spent / repeats.len() as f64));
        }
        let frequency = frequency.finish();
        let known = frequency.nulls().cloned();
        let instants = |of: fn(&Customer) -> i64| -> Result<ArrayRef> {
            let instants = self.customers.iter().map(of).collect();
            Ok(Arc::new(TimestampMicrosecondArray::try_new(instants, known.clone())?.with_timezone("UTC")))
        };
        let columns: Vec<ArrayRef> = vec![
            Arc::new(frequency),
            Arc::new(recency.finish()),
            Arc::new(age.finish()),
            Arc::new(mean.finish()),
            instants(|customer| customer.first)?,
            instants(|customer| customer.last)?,
        ];
        Ok(Arc::new(StructArray::try_new(fields(), columns, known)?))
    }

    fn states(&self) -> Result<Vec<ArrayRef>> {
        let mut periods = LargeBinaryBuilder::new();
        let mut rules = LargeBinaryBuilder::new();
        for (customer, entries) in self.each() {
            let bytes =
                entries.iter().flat_map(|entry| entry.period.to_le_bytes().into_iter().chain(entry.sum.to_le_bytes()));
            periods.append_value(bytes.collect::<Vec<u8>>());
            rules.append_option(customer.rule.map(Rule::to_bytes));
        }
        let known: NullBuffer = self.customers.iter().map(|customer| customer.rule.is_some()).collect();
        let instants = |of: fn(&Customer) -> i64| -> Result<ArrayRef> {
            Ok(Arc::new(Int64Array::try_new(self.customers.iter().map(of).collect(), Some(known.clone()))?))
        };
        Ok(vec![
            Arc::new(periods.finish()),
            instants(|customer| customer.first)?,
            instants(|customer| customer.last)?,
            Arc::new(rules.finish()),
        ])
    }
}

/// The arguments that say how to count: mostly constants, so that a row's rule is mostly that of the row before.
struct Rules<'a> {
    as_of: &'a ArrayRef,
    texts: &'a [ArrayRef],
}

/// What a rule was made of.
type Source<'a> = (i64, &'a str, &'a str);

impl<'a> Rules<'a> {
    fn new(values: &'a [ArrayRef]) -> Self {
        Self { as_of: &values[2], texts: &values[3..] }
    }

    /// The rule of a row whose as_of is not NULL.
    fn of(&self, row: usize, held: &mut Option<(Source<'a>, Rule)>, days: &mut LocalDays) -> Result<Rule> {
        let dates = self.as_of.as_primitive_opt::<Date32Type>();
        let as_of = match dates {
            Some(dates) => i64::from(dates.value(row)),
            None => self.as_of.as_primitive::<TimestampMicrosecondType>().value(row),
        };
        let text =
            |place: usize, default| self.texts.get(place).map_or(default, |texts| texts.as_string::<i32>().value(row));
        let source = (as_of, text(0, "day"), text(1, "week"));
        if let Some((known, rule)) = held
            && *known == source
        {
            return Ok(*rule);
        }
        let (last_day, end) = match dates {
            Some(dates) => (dates.value(row), days.end_of(dates.value(row))),
            None => (days.day_of(as_of), as_of.saturating_add(1)),
        };
        let rule = Rule::new(last_day, end, source.1, source.2)?;
        *held = Some((source, rule));
        Ok(rule)
    }
}

impl GroupsAccumulator for Customers {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.set_count(total_num_groups);
        self.update(values, opt_filter, |row| group_indices[row])
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        self.take(emit_to, |summaries| summaries.values())
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        self.take(emit_to, |summaries| summaries.states())
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.set_count(total_num_groups);
        self.merge(values, |row| group_indices[row])
    }

    /// Every row as a customer of its own.
    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let mut rows = Self { days: self.days.clone(), customers: Vec::new(), entries: Vec::new(), together: 0 };
        rows.set_count(values[0].len());
        rows.update(values, opt_filter, |row| row)?;
        rows.take(EmitTo::All, |summaries| summaries.states())
    }

    fn size(&self) -> usize {
        self.size()
    }
}

impl Accumulator for Customers {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.set_count(1);
        self.update(values, None, |_| 0)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        ScalarValue::try_from_array(&self.only()?.values()?, 0)
    }

    fn size(&self) -> usize {
        self.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let states = self.only()?.states()?;
        states.iter().map(|state| ScalarValue::try_from_array(state, 0)).collect()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.set_count(1);
        self.merge(states, |_| 0)
    }
}
