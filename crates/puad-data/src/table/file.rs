use std::path::{Path, PathBuf};

use super::convert::{Building, Plan, Rows};
use super::guess::Survey;
use super::names::of_ids;
use super::{Field, Kind, Schema, Table};
use crate::raw::ColumnRows;
use crate::stream;
use crate::table_rows::TableOptions;
use crate::{DataError, Result};

/// Rows that are read at a time.
const ROWS: usize = 4096;

type Open = Box<dyn Fn(&Path) -> Result<Box<dyn ColumnRows>>>;

/// A file as a table whose columns have names and kinds: CSV, Parquet, or the arrays of numbers of `.npy` and
/// `.npz`. Nothing is read before it is asked for.
///
/// ```
/// use puad_data::table::{Kind, TableFile};
///
/// let path = std::env::temp_dir().join(format!("parcels-{}.csv", std::process::id()));
/// std::fs::write(&path, "parcel,weight,zip\nA1,0.5,10115\nA2,,80331\n")?;
/// let file = TableFile::open(&path)?;
/// let schema = file.schema()?.with_kind("zip", Kind::Category)?.with_kind("parcel", Kind::Id)?;
/// let table = file.read(&schema)?;
/// assert_eq!((table.names(), table.ids()), (vec!["weight", "zip"], &["A1".to_string(), "A2".into()][..]));
/// assert_eq!(table.value(1, "weight").unwrap().to_string(), "missing");
/// std::fs::remove_file(path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TableFile {
    path: PathBuf,
    open: Open,
    ids: Option<String>,
}

impl TableFile {
    /// By the file's ending: as [`TableReader::open`](crate::stream::TableReader::open), but for `.npz`, of which
    /// all arrays of as many rows are columns.
    ///
    /// # Errors
    /// [`DataError::Unsupported`](crate::DataError::Unsupported) for another ending.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let open = stream::columns_of(path)?;
        Ok(Self {
            path: path.into(),
            open: Box::new(open),
            ids: None,
        })
    }

    /// With options of a format, whatever the file's ending.
    ///
    /// ```
    /// use puad_data::stream::CsvOptions;
    /// use puad_data::table::{Kind, TableFile};
    ///
    /// let path = std::env::temp_dir().join(format!("german-{}.txt", std::process::id()));
    /// std::fs::write(&path, "Betrag;Land\n12,5;DE\n1,25;FR\n")?;
    /// let file = TableFile::open_with(&path, CsvOptions { decimal: b',', ..CsvOptions::default() });
    /// assert_eq!(file.schema()?.field("Betrag").map(|field| field.kind), Some(Kind::Number));
    /// std::fs::remove_file(path)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open_with(path: impl AsRef<Path>, options: impl TableOptions + 'static) -> Self {
        Self {
            path: path.as_ref().into(),
            open: Box::new(move |path| options.columns(path)),
            ids: None,
        }
    }

    /// With the column that tells its rows apart, whatever a schema says of ids: for a file whose values there repeat, or
    /// one that is read by the schema of another.
    ///
    /// ```
    /// use puad_data::table::{Kind, Schema, TableFile};
    ///
    /// let path = std::env::temp_dir().join(format!("shops-{}.csv", std::process::id()));
    /// std::fs::write(&path, "shop,sold\nnorth,3\nnorth,5\n")?;
    /// let schema = Schema::new([("sold", Kind::Number)])?;
    /// let table = TableFile::open(&path)?.with_ids("shop").read(&schema)?;
    /// assert_eq!((table.names(), table.ids()), (vec!["sold"], &["north".to_string(), "north".into()][..]));
    /// std::fs::remove_file(path)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// A file without it, and a feature of the schema, are errors where rows are read.
    #[must_use]
    pub fn with_ids(self, column: impl Into<String>) -> Self {
        let ids = Some(column.into());
        Self { ids, ..self }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the columns seem to be, of all rows of the file; `println!("{schema}")` shows it. What may be one
    /// thing or another is [`Kind::Undecided`](super::Kind::Undecided), and must be said before the file is read.
    ///
    /// - Times in the order of ISO 8601, numbers, and truth values written out are what they look like; 0 and 1
    ///   are numbers. Words that look like dates or numbers and are not read as such (03/01/2026, 1,234.50) are
    ///   undecided, and so are numbers that may be codes (00501), and numbers or times with some words among them.
    ///   All other words are categories.
    /// - Words that differ in each of twenty rows or more, unnamed integers, and `id`, `index` or `order_id` of
    ///   values that differ are the rows' ids, or undecided where integers repeat; long texts are ignored.
    /// - A column named `label`, `fraud`, `class` or the like is the label if it holds one value beside gaps,
    ///   which are unlabeled then, else undecided.
    ///
    /// # Errors
    /// As the format's options; [`DataError::Missing`] for a file without a column.
    pub fn schema(&self) -> Result<Schema> {
        let mut columns = (self.open)(&self.path)?;
        let decimal = columns.decimal();
        if columns.names().is_empty() {
            return Err(DataError::Missing {
                path: self.path.clone(),
                name: "a line of names".into(),
                present: vec![],
            });
        }
        let mut survey = Survey::default();
        while let Some(raw) = columns.next(ROWS)? {
            survey.add(&raw, decimal);
        }
        let schema = survey.schema(columns.names(), columns.unread());
        match &self.ids {
            Some(ids) => self.named_by(ids, columns.names(), schema),
            None => Ok(schema),
        }
    }

    /// A schema with this column of the file for its ids.
    fn named_by(&self, ids: &str, names: &[String], mut schema: Schema) -> Result<Schema> {
        if !names.iter().any(|name| name == ids) {
            return Err(DataError::Missing {
                path: self.path.clone(),
                name: format!("the column {ids:?}"),
                present: names.to_vec(),
            });
        }
        if schema.field(ids).is_none() {
            schema.columns.push(Field {
                name: ids.into(),
                kind: Kind::Ignored,
                format: None,
                about: String::new(),
            });
        }
        schema.with_kind(ids, Kind::Id)
    }

    /// What the rows are read by: `schema`, with the ids that this file was told of, or, if they are to be `found`, that
    /// it has by the names of its columns.
    fn read_by(&self, schema: &Schema, names: &[String], found: bool) -> Result<Schema> {
        let kind = |name: &str| schema.field(name).map(|field| field.kind);
        if let Some(ids) = &self.ids {
            if kind(ids).is_some_and(Kind::is_feature) {
                let rule = "a column that is no feature of the schema";
                return Err(DataError::config("ids", rule, format!("{ids:?}")));
            }
            return self.named_by(ids, names, schema.clone());
        }
        let known = schema.columns.iter().any(|field| field.kind == Kind::Id);
        if found && !known {
            let others = names.iter().map(String::as_str);
            let others: Vec<&str> = others.filter(|name| kind(name).is_none()).collect();
            if let Some(ids) = of_ids(&others) {
                return self.named_by(ids, names, schema.clone());
            }
        }
        Ok(schema.clone())
    }

    /// All rows.
    ///
    /// # Errors
    /// As [`batches`](Self::batches) and [`TableBatches::next`](Iterator::next).
    pub fn read(&self, schema: &Schema) -> Result<Table> {
        let TableBatches {
            mut columns, plan, ..
        } = self.batches(schema, ROWS)?;
        let mut table = Building::new(&plan);
        let mut first = 0;
        while let Some(raw) = columns.next(ROWS)? {
            table.extend(&plan, &Rows { raw: &raw, first })?;
            first += raw.rows as u64;
        }
        Ok(table.finish(&plan))
    }

    /// The rows, `size` at a time, in constant memory.
    ///
    /// Columns are matched by name; those that the schema does not have are passed over, and ids and labels may
    /// be absent.
    ///
    /// # Errors
    /// [`DataError::Missing`](crate::DataError::Missing) for absent features,
    /// [`DataError::Ambiguous`](crate::DataError::Ambiguous) for an undecided column,
    /// [`DataError::Config`](crate::DataError::Config) for a size of 0 or a schema that says two things; else as
    /// the format's options.
    pub fn batches(&self, schema: &Schema, size: usize) -> Result<TableBatches> {
        self.batches_by(schema, size, false)
    }

    /// As [`batches`](Self::batches), with ids where neither the schema nor [`with_ids`](Self::with_ids) says any: of the one
    /// column beside the schema's that has no name, or that of rows (`id`, `row`), else the one that has a key's name
    /// (`order_id`).
    ///
    /// # Errors
    /// As there.
    pub fn batches_with_ids(&self, schema: &Schema, size: usize) -> Result<TableBatches> {
        self.batches_by(schema, size, true)
    }

    fn batches_by(&self, schema: &Schema, size: usize, find_ids: bool) -> Result<TableBatches> {
        stream::check(size)?;
        let columns = (self.open)(&self.path)?;
        let schema = self.read_by(schema, columns.names(), find_ids)?;
        let plan = Plan::of(&schema, &self.path, columns.names(), columns.decimal())?;
        Ok(TableBatches {
            path: self.path.clone(),
            columns,
            plan,
            size,
            first: 0,
            ended: false,
        })
    }
}

/// Rows of a [`TableFile`], in its order; ends after the first error.
///
/// ```
/// use puad_data::table::{Kind, Schema, TableFile};
///
/// let path = std::env::temp_dir().join(format!("words-{}.csv", std::process::id()));
/// std::fs::write(&path, "heat,word\n1,a\n2,b\nx,c\n")?;
/// let schema = Schema::new([("word", Kind::Category), ("heat", Kind::Number)])?;
/// let mut batches = TableFile::open(&path)?.batches(&schema, 2)?;
/// assert_eq!(batches.next().unwrap()?.names(), ["word", "heat"]);
/// let error = batches.next().unwrap().unwrap_err().to_string();
/// assert!(error.ends_with("got \"x\" in line 4, column \"heat\""));
/// assert!(batches.next().is_none());
/// std::fs::remove_file(path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TableBatches {
    path: PathBuf,
    columns: Box<dyn ColumnRows>,
    plan: Plan,
    size: usize,
    first: u64,
    ended: bool,
}

impl TableBatches {
    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The number of all rows; `None` for CSV, which does not say.
    pub fn total(&self) -> Option<u64> {
        self.columns.count()
    }

    fn read(&mut self) -> Result<Option<Table>> {
        let Some(raw) = self.columns.next(self.size)? else {
            return Ok(None);
        };
        let rows = Rows {
            raw: &raw,
            first: self.first,
        };
        let mut table = Building::new(&self.plan);
        table.extend(&self.plan, &rows)?;
        self.first += raw.rows as u64;
        Ok(Some(table.finish(&self.plan)))
    }
}

impl Iterator for TableBatches {
    type Item = Result<Table>;

    fn next(&mut self) -> Option<Result<Table>> {
        if self.ended {
            return None;
        }
        let item = self.read().transpose();
        self.ended = !matches!(item, Some(Ok(_)));
        item
    }
}
