//! Orders as arrays: their sums as a struct, their entries or items as lists of structs; NULL for an order of which an
//! amount does not fit its type.

use std::sync::{Arc, LazyLock};

use arrow::array::{
    ArrayRef, AsArray, Date32Builder, Decimal128Builder, Int64Builder, ListArray, ListBuilder, NullBufferBuilder,
    StringBuilder, StructArray, TimestampMicrosecondBuilder,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::Result as DfResult;

use crate::money;
use crate::orders::Order;
use crate::store::events::schema::{self, DECIMAL, instant};
use crate::workspace::BaseCurrency;

/// What is made of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Output {
    Sums,
    Entries,
    Items,
}

impl Output {
    fn fields(self) -> Fields {
        static SUMS: LazyLock<Fields> = LazyLock::new(|| {
            let decimal = |name| Field::new(name, DECIMAL, true);
            let currency = Field::new("currency", DataType::Utf8, true);
            let sums = ["gross", "refund", "net", "cost", "items", "net_base"].map(decimal);
            sums.into_iter().chain([currency]).collect()
        });
        static ENTRIES: LazyLock<Fields> = LazyLock::new(|| {
            Fields::from(vec![
                Field::new("entry", DataType::Int64, false),
                Field::new("ts", instant(), false),
                Field::new("day", DataType::Date32, false),
                Field::new("kind", DataType::Utf8, false),
                Field::new("amount", DECIMAL, false),
                Field::new("currency", DataType::Utf8, false),
                Field::new("amount_base", DECIMAL, true),
            ])
        });
        static ITEMS: LazyLock<Fields> = LazyLock::new(|| {
            Fields::from(vec![
                Field::new("line", DataType::Int64, false),
                Field::new("kind", DataType::Utf8, false),
                Field::new("ts", instant(), false),
                Field::new("product_id", DataType::Utf8, true),
                Field::new("category", schema::path(), true),
                Field::new("quantity", DECIMAL, true),
                Field::new("amount", DECIMAL, true),
                Field::new("cost", DECIMAL, true),
            ])
        });
        match self {
            Output::Sums => SUMS.clone(),
            Output::Entries => ENTRIES.clone(),
            Output::Items => ITEMS.clone(),
        }
    }

    pub(super) fn data_type(self) -> DataType {
        let row = DataType::Struct(self.fields());
        if self == Output::Sums { row } else { DataType::List(Arc::new(Field::new("element", row, true))) }
    }
}

/// Gives the category of a product: the caller's number of the event, and where the event holds the product.
pub(super) type Categories<'f> = &'f dyn Fn(usize, Option<usize>) -> Option<ArrayRef>;

/// Builds the result, order by order.
pub(super) struct Builder<'a> {
    output: Output,
    base: &'a BaseCurrency,
    /// Of the rows: one a group for sums, else a list of them.
    offsets: Vec<i32>,
    /// Which orders fit.
    nulls: NullBufferBuilder,
    /// Of the entries of one order: the amount in the base currency.
    converted: Vec<Option<i128>>,
    number: Int64Builder,
    ts: TimestampMicrosecondBuilder,
    day: Date32Builder,
    /// `kind` and `currency`, or `kind` and `product_id`.
    texts: [StringBuilder; 2],
    category: ListBuilder<StringBuilder>,
    /// In the order of the output's fields.
    decimals: [Decimal128Builder; 6],
}

impl<'a> Builder<'a> {
    pub(super) fn new(output: Output, base: &'a BaseCurrency, groups: usize) -> Self {
        let mut offsets = Vec::with_capacity(groups + 1);
        offsets.push(0);
        Self {
            output,
            base,
            offsets,
            nulls: NullBufferBuilder::new(groups),
            converted: Vec::new(),
            number: Int64Builder::new(),
            ts: TimestampMicrosecondBuilder::new().with_timezone("UTC"),
            day: Date32Builder::new(),
            texts: std::array::from_fn(|_| StringBuilder::new()),
            category: ListBuilder::new(StringBuilder::new()).with_field(Field::new("element", DataType::Utf8, true)),
            decimals: std::array::from_fn(|_| Decimal128Builder::new().with_data_type(DECIMAL)),
        }
    }

    pub(super) fn push(&mut self, order: &Order<'_>, categories: Categories<'_>) {
        let rows = match self.output {
            Output::Sums => self.push_sums(order),
            Output::Entries => self.push_entries(order),
            Output::Items => self.push_items(order, categories),
        };
        self.nulls.append(rows.is_some());
        let last = self.offsets.last().copied().unwrap_or_default();
        self.offsets.push(last + rows.unwrap_or_default() as i32);
    }

    fn push_decimals<const N: usize>(&mut self, values: [Option<i128>; N]) {
        for (builder, value) in self.decimals.iter_mut().zip(values) {
            builder.append_option(value);
        }
    }

    /// Converts the entries; `None` where one does not fit.
    fn convert(&mut self, order: &Order<'_>) -> Option<()> {
        self.converted.clear();
        for entry in &order.entries {
            fit([Some(entry.amount)])?;
            // The only error is an amount that is too large in the base currency.
            self.converted.push(self.base.convert(entry.amount, entry.currency, entry.ts).ok()?);
        }
        Some(())
    }

    fn push_sums(&mut self, order: &Order<'_>) -> Option<usize> {
        let totals = order.totals();
        let sums = self.convert(order).and_then(|()| {
            let net_base = self.converted.iter().copied().sum::<Option<i128>>();
            fit([totals.gross, totals.refund, totals.net, totals.cost, Some(totals.items), net_base])
        });
        // A struct has its row also where it is NULL.
        self.push_decimals(sums.unwrap_or_default());
        self.texts[0].append_option(totals.currency);
        sums.map(|_| 1)
    }

    fn push_entries(&mut self, order: &Order<'_>) -> Option<usize> {
        self.convert(order)?;
        for (at, entry) in order.entries.iter().enumerate() {
            self.number.append_value(at as i64 + 1);
            self.ts.append_value(entry.ts);
            self.day.append_value(self.base.local_day(entry.ts));
            self.texts[0].append_value(entry.kind.as_str());
            self.texts[1].append_value(entry.currency);
            self.push_decimals([Some(entry.amount), self.converted[at]]);
        }
        Some(order.entries.len())
    }

    fn push_items(&mut self, order: &Order<'_>, categories: Categories<'_>) -> Option<usize> {
        let items = order.items();
        for item in &items {
            fit([item.row.quantity, item.row.amount, item.row.cost])?;
        }
        for (at, item) in items.iter().enumerate() {
            self.number.append_value(at as i64 + 1);
            self.texts[0].append_value(item.kind.as_str());
            self.ts.append_value(item.ts);
            self.texts[1].append_option(item.row.product_id);
            let category = item.event.and_then(|event| categories(order.events[event].source, item.row.position));
            match category {
                Some(levels) => self.category.append_value(levels.as_string::<i32>().iter()),
                None => self.category.append_null(),
            }
            self.push_decimals([item.row.quantity, item.row.amount, item.row.cost]);
        }
        Some(items.len())
    }

    pub(super) fn finish(mut self) -> DfResult<ArrayRef> {
        let fields = self.output.fields();
        let columns: Vec<ArrayRef> = match self.output {
            Output::Sums => {
                let mut columns: Vec<ArrayRef> = Vec::with_capacity(fields.len());
                columns.extend(self.decimals.iter_mut().map(|builder| Arc::new(builder.finish()) as ArrayRef));
                columns.push(Arc::new(self.texts[0].finish()));
                columns
            }
            Output::Entries => vec![
                Arc::new(self.number.finish()),
                Arc::new(self.ts.finish()),
                Arc::new(self.day.finish()),
                Arc::new(self.texts[0].finish()),
                Arc::new(self.decimals[0].finish()),
                Arc::new(self.texts[1].finish()),
                Arc::new(self.decimals[1].finish()),
            ],
            Output::Items => vec![
                Arc::new(self.number.finish()),
                Arc::new(self.texts[0].finish()),
                Arc::new(self.ts.finish()),
                Arc::new(self.texts[1].finish()),
                Arc::new(self.category.finish()),
                Arc::new(self.decimals[0].finish()),
                Arc::new(self.decimals[1].finish()),
                Arc::new(self.decimals[2].finish()),
            ],
        };
        let nulls = self.nulls.finish();
        if self.output == Output::Sums {
            return Ok(Arc::new(StructArray::try_new(fields, columns, nulls)?));
        }
        let rows = StructArray::try_new(fields.clone(), columns, None)?;
        let element = Arc::new(Field::new("element", DataType::Struct(fields), true));
        let offsets = OffsetBuffer::new(self.offsets.into());
        Ok(Arc::new(ListArray::try_new(element, offsets, Arc::new(rows), nulls)?))
    }
}

/// The values, where all of them are amounts.
fn fit<const N: usize>(values: [Option<i128>; N]) -> Option<[Option<i128>; N]> {
    values.iter().flatten().all(|value| money::is_amount(*value)).then_some(values)
}
