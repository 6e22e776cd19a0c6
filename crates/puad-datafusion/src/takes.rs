use datafusion::arrow::datatypes::DataType;
use puad::data::table::{Column, Kind, Table};
use puad::encoding::Encoding;
use puad::{Error as DetectorError, FittedDetector};

use crate::{Error, Result};

/// What a detector takes, by position in the order of its fit.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Takes {
    /// Columns of numbers, or one list of them. The names may be empty.
    Vectors { names: Vec<String>, width: usize },
    /// Lists, row by row of this shape.
    Shaped { shape: Vec<usize> },
    /// Columns of a table; a list where all are numbers.
    Table { columns: Vec<Field> },
}

/// A column of a detector's table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// Whether a value may be missing.
    pub(crate) gaps: bool,
}

impl Takes {
    pub(crate) fn of(detector: &FittedDetector) -> puad::Result<Self> {
        if let Some(encoding) = detector.encoding() {
            let columns = fields(encoding)?;
            return Ok(Self::Table { columns });
        }
        let shape = detector.sample_shape();
        Ok(match shape[..] {
            [width] => Self::Vectors {
                names: detector
                    .inputs()
                    .map_or(vec![], |inputs| inputs.names().to_vec()),
                width,
            },
            _ => Self::Shaped { shape },
        })
    }

    /// Whether columns of these types go with it.
    ///
    /// # Errors
    /// [`Error::Columns`] and [`Error::Type`].
    pub(crate) fn check(&self, model: &str, types: &[&DataType]) -> Result<()> {
        if let [list] = types
            && let Some((values, length)) = list_of(list)
        {
            return self.check_list(model, list, values, length);
        }
        if types.len() != self.columns() {
            return Err(Error::Columns {
                model: model.into(),
                expected: self.to_string(),
                actual: types.len(),
            });
        }
        let mut columns = types.iter().enumerate();
        columns.try_for_each(|(at, found)| {
            let kind = self.kind(at);
            let good = matches!(found, DataType::Null) || kind.is_some() && kind_of(found) == kind;
            let expected = match kind {
                Some(kind) => of_kind(kind).into(),
                None => self.to_string(),
            };
            good.then_some(()).ok_or_else(|| Error::Type {
                model: model.into(),
                column: self.column(at),
                expected,
                actual: DataType::clone(found),
            })
        })
    }

    fn check_list(
        &self,
        model: &str,
        list: &DataType,
        values: &DataType,
        length: Option<usize>,
    ) -> Result<()> {
        let floats = matches!(values, DataType::Float32 | DataType::Float64);
        let expected = self.values();
        if floats && expected.is_some() && length.is_none_or(|length| Some(length) == expected) {
            return Ok(());
        }
        let expected = match expected {
            Some(values) => format!("lists of {values} floats of 32 or 64 bits"),
            None => format!("{self}, which are not all numbers"),
        };
        Err(Error::Type {
            model: model.into(),
            column: "the list".into(),
            expected,
            actual: list.clone(),
        })
    }

    /// The values of a list; `None` where it cannot be one.
    pub(crate) fn values(&self) -> Option<usize> {
        match self {
            Self::Vectors { width, .. } => Some(*width),
            Self::Shaped { shape } => Some(shape.iter().product()),
            Self::Table { columns } => {
                let numbers = columns.iter().all(|field| field.kind == Kind::Number);
                numbers.then_some(columns.len())
            }
        }
    }

    /// A column in words.
    pub(crate) fn column(&self, at: usize) -> String {
        let name = match self {
            Self::Vectors { names, .. } => names.get(at),
            Self::Shaped { .. } => return format!("value {at} of the list"),
            Self::Table { columns } => columns.get(at).map(|field| &field.name),
        };
        name.map_or_else(|| format!("column {at}"), |name| format!("column {name:?}"))
    }

    fn columns(&self) -> usize {
        match self {
            Self::Vectors { width, .. } => *width,
            Self::Shaped { .. } => 1,
            Self::Table { columns } => columns.len(),
        }
    }

    /// `None` of what a list alone is.
    fn kind(&self, at: usize) -> Option<Kind> {
        match self {
            Self::Vectors { .. } => Some(Kind::Number),
            Self::Shaped { .. } => None,
            Self::Table { columns } => columns.get(at).map(|field| field.kind),
        }
    }
}

impl std::fmt::Display for Takes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&String> = match self {
            Self::Vectors { names, .. } => names.iter().collect(),
            Self::Shaped { shape } => {
                let values: usize = shape.iter().product();
                return write!(
                    f,
                    "one list column of {values} floats, {shape:?} row by row"
                );
            }
            Self::Table { columns } => columns.iter().map(|field| &field.name).collect(),
        };
        write!(f, "{} columns", self.columns())?;
        match names[..] {
            [] => Ok(()),
            _ => write!(f, " ({names:?})"),
        }
    }
}

/// The columns of a table, each asked what it makes of a gap.
fn fields(encoding: &Encoding) -> puad::Result<Vec<Field>> {
    let schema = encoding.schema();
    let features: Vec<(&str, Kind)> = schema
        .features()
        .map(|field| (field.name.as_str(), field.kind))
        .collect();
    let gaps = |of: usize| {
        let columns = features.iter().enumerate();
        let columns = columns.map(|(at, (name, kind))| (*name, cell(*kind, at == of)));
        match encoding.encode(&Table::new(columns)?) {
            Ok(_) => Ok(true),
            Err(DetectorError::Gap { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    };
    let field = |(at, (name, kind)): (usize, &(&str, Kind))| {
        Ok(Field {
            name: (*name).into(),
            kind: *kind,
            gaps: gaps(at)?,
        })
    };
    features.iter().enumerate().map(field).collect()
}

/// One value of a kind, or a gap.
fn cell(kind: Kind, gap: bool) -> Column {
    match kind {
        Kind::Category => Column::words([(!gap).then_some("word")]),
        Kind::Boolean => Column::Booleans(vec![(!gap).then_some(true)]),
        Kind::Time => Column::Times(vec![if gap { f64::NAN } else { 0. }]),
        _ => Column::numbers([(!gap).then_some(0.)]),
    }
}

/// The type of a list's values, and their number where the type says it.
pub(crate) fn list_of(list: &DataType) -> Option<(&DataType, Option<usize>)> {
    match list {
        DataType::List(field) | DataType::LargeList(field) => Some((field.data_type(), None)),
        DataType::FixedSizeList(field, length) => {
            Some((field.data_type(), usize::try_from(*length).ok()))
        }
        _ => None,
    }
}

/// What values of a type are to a detector.
fn kind_of(column: &DataType) -> Option<Kind> {
    match column {
        DataType::Dictionary(_, values) => kind_of(values),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Some(Kind::Category),
        DataType::Boolean => Some(Kind::Boolean),
        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => Some(Kind::Time),
        numeric if numeric.is_numeric() => Some(Kind::Number),
        _ => None,
    }
}

fn of_kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Category => "text",
        Kind::Boolean => "a truth value",
        Kind::Time => "a timestamp or a date",
        _ => "a number",
    }
}
