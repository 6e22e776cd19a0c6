use std::fmt;

use serde::{Deserialize, Serialize};

use super::Labels;
use crate::value::time;
use crate::{DataError, Result};

/// What the values of a column are.
///
/// ```
/// use puad_data::table::Kind;
///
/// assert_eq!(serde_json::to_string(&Kind::Category).unwrap(), "\"category\"");
/// assert!(Kind::Time.is_feature() && !Kind::Id.is_feature());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A number.
    Number,
    /// A word, or a number that stands for a kind.
    Category,
    /// True or false: `true`, `yes`, `t`, `y`, 1, and their opposites.
    Boolean,
    /// A point in time.
    Time,
    /// What a row is called; no feature.
    Id,
    /// What somebody found out about the row, as [`Labels`] says; no feature.
    Label,
    /// No feature.
    Ignored,
    /// A guess that is as likely wrong as right, so that nobody makes it: it must be said.
    Undecided,
}

impl Kind {
    /// Whether columns of this kind are what a detector is trained on.
    pub fn is_feature(self) -> bool {
        matches!(
            self,
            Self::Number | Self::Category | Self::Boolean | Self::Time
        )
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Number => "number",
            Self::Category => "category",
            Self::Boolean => "boolean",
            Self::Time => "time",
            Self::Id => "id",
            Self::Label => "label",
            Self::Ignored => "ignored",
            Self::Undecided => "undecided",
        })
    }
}

/// A column of a [`Schema`].
///
/// ```
/// use puad_data::table::{Field, Kind};
///
/// let field: Field = serde_json::from_str(r#"{"name": "paid", "kind": "time", "format": "%d.%m.%Y"}"#).unwrap();
/// assert_eq!(field.kind, Kind::Time);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Its name in the file; its number, counted from 0, where the file has no names.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// How times are written, as `strftime` has it (`%d.%m.%Y %H:%M`), or `unix` or `unix_ms` for seconds or
    /// milliseconds since 1970. `None`: in the order of ISO 8601, from the year on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// What a guess found in the column; nothing goes by it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
}

/// What the columns of a table are. [`TableFile::schema`](crate::table::TableFile::schema) guesses it, and what
/// it guessed can be looked at, changed, and kept as JSON.
///
/// ```
/// use puad_data::table::{Kind, Labels, Schema};
///
/// let schema = Schema::new([("amount", Kind::Number), ("shop", Kind::Number), ("state", Kind::Ignored)])?
///     .with_kind("shop", Kind::Category)?
///     .with_label("state", Labels::anomalous(["fraud"]))?;
/// let text = serde_json::to_string(&schema).unwrap();
/// assert_eq!(serde_json::from_str::<Schema>(&text).unwrap(), schema);
/// assert!(schema.with_kind("shops", Kind::Category).is_err());
/// # Ok::<(), puad_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schema {
    /// The columns. Those of a file that are not among them are passed over.
    pub columns: Vec<Field>,
    /// What the values of the label column mean.
    #[serde(default)]
    pub labels: Labels,
    /// Marks of values that are missing: texts, or numbers such as `-999`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<String>,
    /// Whether what people write for a missing value is one, too: `NA`, `null`, `NaN` or `?`, in any case; in columns
    /// of other kinds than categories also `none` and `-`. An empty cell always is.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub usual_gaps: bool,
}

/// Between what a guess found and what it may be.
const QUESTION: &str = ": ";

impl Default for Schema {
    fn default() -> Self {
        Self {
            columns: vec![],
            labels: Labels::default(),
            gaps: vec![],
            usual_gaps: true,
        }
    }
}

fn yes() -> bool {
    true
}

fn is_yes(usual: &bool) -> bool {
    *usual
}

impl Schema {
    /// Of names and kinds.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn new<N: Into<String>>(columns: impl IntoIterator<Item = (N, Kind)>) -> Result<Self> {
        let field = |(name, kind): (N, Kind)| Field {
            name: name.into(),
            kind,
            format: None,
            about: String::new(),
        };
        let columns = columns.into_iter().map(field).collect();
        let schema = Self {
            columns,
            ..Self::default()
        };
        schema.check()?;
        Ok(schema)
    }

    /// With another kind of a column. One of two ids or labels becomes [`Kind::Ignored`].
    ///
    /// # Errors
    /// [`DataError::Config`] without a column of this name.
    pub fn with_kind(mut self, name: &str, kind: Kind) -> Result<Self> {
        let at = self.position(name)?;
        if matches!(kind, Kind::Id | Kind::Label) {
            let before = self.columns.iter_mut().filter(|field| field.kind == kind);
            before.for_each(|field| field.kind = Kind::Ignored);
        }
        let field = &mut self.columns[at];
        if let (Kind::Undecided, Some(end)) = (field.kind, field.about.rfind(QUESTION)) {
            // It is answered.
            field.about.truncate(end);
        }
        field.kind = kind;
        if kind != Kind::Time {
            self.columns[at].format = None;
        }
        Ok(self)
    }

    /// With a column of labels, and what they mean.
    ///
    /// # Errors
    /// [`DataError::Config`] without a column of this name, and for a value that means two things.
    pub fn with_label(self, name: &str, labels: Labels) -> Result<Self> {
        let schema = self.with_kind(name, Kind::Label)?;
        let schema = Self { labels, ..schema };
        schema.check()?;
        Ok(schema)
    }

    /// With a column of times, and how these are written; see [`Field::format`].
    ///
    /// # Errors
    /// [`DataError::Config`] without a column of this name, or for what is no format.
    pub fn with_time(self, name: &str, format: &str) -> Result<Self> {
        let mut schema = self.with_kind(name, Kind::Time)?;
        let at = schema.position(name)?;
        schema.columns[at].format = Some(format.into());
        schema.check()?;
        Ok(schema)
    }

    /// With these marks of missing values beside the usual ones; see [`gaps`](Self::gaps). What is undecided for words
    /// among its numbers is to be made a number, too.
    pub fn with_gaps<W: Into<String>>(mut self, marks: impl IntoIterator<Item = W>) -> Self {
        self.gaps.extend(marks.into_iter().map(Into::into));
        self
    }

    /// With these marks of missing values alone, where `NA` is a country, say.
    pub fn with_only_gaps<W: Into<String>>(self, marks: impl IntoIterator<Item = W>) -> Self {
        Self {
            gaps: marks.into_iter().map(Into::into).collect(),
            usual_gaps: false,
            ..self
        }
    }

    /// The column of this name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.columns.iter().find(|field| field.name == name)
    }

    /// The columns that a detector is trained on.
    pub fn features(&self) -> impl Iterator<Item = &Field> + Clone {
        self.columns.iter().filter(|field| field.kind.is_feature())
    }

    /// # Errors
    /// [`DataError::Config`] for a name that is there twice, two ids or labels, a label that means two things, a
    /// format of times that is none, or of a column of another kind.
    pub fn check(&self) -> Result<()> {
        let mut names: Vec<&str> = self.columns.iter().map(|f| f.name.as_str()).collect();
        names.sort_unstable();
        if let Some([name, _]) = names.array_windows().find(|[a, b]| a == b) {
            let twice = format!("{name:?} twice");
            return Err(DataError::config("columns", "names that differ", twice));
        }
        for kind in [Kind::Id, Kind::Label] {
            let mut of = self.columns.iter().filter(|field| field.kind == kind);
            if let (Some(first), Some(second)) = (of.next(), of.next()) {
                let both = format!("{kind} for {:?} and {:?}", first.name, second.name);
                return Err(DataError::config("columns", "one id and one label", both));
            }
        }
        if let Some(value) = self.labels.twice() {
            let rule = "values that mean one thing each";
            return Err(DataError::config(
                "labels",
                rule,
                format!("{value:?} twice"),
            ));
        }
        let formats = self.columns.iter().filter_map(|field| {
            let format = field.format.as_ref()?;
            let good = field.kind != Kind::Time || time::is_format(format);
            (!good).then_some(format)
        });
        match formats.into_iter().next() {
            Some(format) => Err(DataError::config(
                "format",
                "of strftime's (%d.%m.%Y %H:%M), unix or unix_ms",
                format!("{format:?}"),
            )),
            None => Ok(()),
        }
    }

    fn position(&self, name: &str) -> Result<usize> {
        let at = self.columns.iter().position(|field| field.name == name);
        at.ok_or_else(|| {
            let names: Vec<&str> = self.columns.iter().map(|f| f.name.as_str()).collect();
            let value = format!("{name:?} of {names:?}");
            DataError::config("column", "one of the schema's", value)
        })
    }
}

/// A line a column: name, kind, and what a guess found.
impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.columns.iter().map(|field| field.name.chars().count());
        let width = names.max().unwrap_or(0);
        for (
            i,
            Field {
                name, kind, about, ..
            },
        ) in self.columns.iter().enumerate()
        {
            let line = format!("{name:width$}  {kind:9}  {about}");
            let end = if i + 1 < self.columns.len() { "\n" } else { "" };
            write!(f, "{}{end}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemas_that_say_two_things_are_errors() {
        let said = |schema: Result<Schema>| schema.unwrap_err().to_string();
        let twice = Schema::new([("a", Kind::Number), ("a", Kind::Time)]);
        assert_eq!(
            said(twice),
            "columns must be names that differ, got \"a\" twice"
        );
        let ids = Schema::new([("a", Kind::Id), ("b", Kind::Id)]);
        assert!(said(ids).ends_with("id for \"a\" and \"b\""));
        let plain = || Schema::new([("a", Kind::Number), ("b", Kind::Label)]).unwrap();
        let labels = plain().with_label("b", Labels::anomalous(["1"]).normal(["1"]));
        assert!(said(labels).contains("\"1\" twice"));
        assert!(said(plain().with_time("a", "dd.mm.yy")).contains("strftime"));
        assert!(said(plain().with_kind("c", Kind::Id)).ends_with("\"c\" of [\"a\", \"b\"]"));
        let dated = plain().with_time("a", "%d.%m.%Y").unwrap();
        let words = dated.with_kind("a", Kind::Category).unwrap();
        assert!(words.check().is_ok(), "{words:?}");
        let moved = plain().with_kind("a", Kind::Label).unwrap();
        assert_eq!(moved.field("b").unwrap().kind, Kind::Ignored);
    }

    #[test]
    fn a_schema_is_shown_a_line_a_column() {
        let mut schema = Schema::new([("heat", Kind::Number), ("id", Kind::Id)]).unwrap();
        schema.columns[0].about = "1 to 3".into();
        assert_eq!(schema.to_string(), "heat  number     1 to 3\nid    id");
    }
}
