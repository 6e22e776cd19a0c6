//! A table, as Markdown or as CSV.

/// What stands in a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Field {
    Text(String),
    /// With as many digits, and whether it is the best of its column.
    Number(f64, usize, bool),
    /// Nothing was measured.
    Missing,
    /// Two numbers in one field of Markdown, two columns of CSV, then what is missing of them.
    Pair([Box<Field>; 2], String),
}

/// A column: one title, or two for pairs.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    pub title: String,
    /// What the two numbers are, in CSV.
    pub pair: Option<[&'static str; 2]>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    pub title: String,
    /// What it says below its title, a paragraph each.
    pub notes: Vec<String>,
    pub columns: Vec<Column>,
    pub lines: Vec<Vec<Field>>,
}

impl Column {
    pub fn one(title: impl Into<String>) -> Self {
        let title = title.into();
        Self { title, pair: None }
    }

    pub fn pair(title: impl Into<String>, pair: [&'static str; 2]) -> Self {
        let (title, pair) = (title.into(), Some(pair));
        Self { title, pair }
    }
}

impl Field {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// With three digits.
    pub fn number(value: Option<f64>, is_best: bool) -> Self {
        value.map_or(Self::Missing, |value| Self::Number(value, 3, is_best))
    }

    pub fn count(n: usize) -> Self {
        Self::Text(n.to_string())
    }

    fn markdown(&self) -> String {
        match self {
            // A bar would end the field.
            Self::Text(text) => text.replace('|', "\\|"),
            Self::Number(value, digits, true) => format!("**{value:.digits$}**"),
            Self::Number(value, digits, false) => format!("{value:.digits$}"),
            Self::Missing => "-".into(),
            Self::Pair([a, b], _) if **a == Self::Missing && **b == Self::Missing => "-".into(),
            Self::Pair([a, b], missing) => format!("{} / {}{missing}", a.markdown(), b.markdown()),
        }
    }

    pub fn csv(&self) -> String {
        match self {
            Self::Text(text) if text.contains([',', '"']) => {
                format!("\"{}\"", text.replace('"', "\"\""))
            }
            Self::Text(text) => text.clone(),
            Self::Number(value, ..) => format!("{value:.6}"),
            Self::Missing => String::new(),
            Self::Pair([a, b], _) => format!("{},{}", a.csv(), b.csv()),
        }
    }
}

impl Table {
    pub fn markdown(&self) -> String {
        let titles: Vec<&str> = self
            .columns
            .iter()
            .map(|column| column.title.as_str())
            .collect();
        let mut out = format!("### {}\n\n", self.title);
        for note in &self.notes {
            out += &format!("{note}\n\n");
        }
        if self.lines.is_empty() {
            return out + "None.\n";
        }
        out += &format!(
            "| {} |\n|{}\n",
            titles.join(" | "),
            "---|".repeat(titles.len())
        );
        for line in &self.lines {
            let fields: Vec<String> = line.iter().map(Field::markdown).collect();
            out += &format!("| {} |\n", fields.join(" | "));
        }
        out
    }

    /// Notes and title as comments; numbers with six digits.
    pub fn csv(&self) -> String {
        let mut out: String = [&self.title]
            .into_iter()
            .chain(&self.notes)
            .map(|line| format!("# {line}\n"))
            .collect();
        let title = |column: &Column| match column.pair {
            None => Field::text(&column.title).csv(),
            Some(pair) => pair
                .map(|what| Field::text(format!("{} {what}", column.title)).csv())
                .join(","),
        };
        out += &(self.columns.iter().map(title).collect::<Vec<_>>().join(",") + "\n");
        for line in &self.lines {
            out += &(line.iter().map(Field::csv).collect::<Vec<_>>().join(",") + "\n");
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_table_in_two_forms() {
        let pair = |a, b, missing: &str| {
            Field::Pair(
                [Field::number(a, true), Field::number(b, false)].map(Box::new),
                missing.into(),
            )
        };
        let table = Table {
            title: "Means".into(),
            notes: vec!["A note.".into()],
            columns: vec![Column::one("method"), Column::pair("L10", ["auroc", "ap"])],
            lines: vec![
                vec![
                    Field::text("trees, \"bagged\""),
                    pair(Some(0.75), Some(0.5), ""),
                ],
                vec![Field::text("a|b"), pair(Some(0.75), Some(0.5), " (1/2)")],
                vec![Field::text("none"), pair(None, None, " (0/2)")],
            ],
        };
        assert_eq!(
            table.markdown(),
            "### Means\n\nA note.\n\n| method | L10 |\n|---|---|\n| trees, \"bagged\" | **0.750** / 0.500 |\n\
             | a\\|b | **0.750** / 0.500 (1/2) |\n| none | - |\n"
        );
        assert_eq!(
            table.csv(),
            "# Means\n# A note.\nmethod,L10 auroc,L10 ap\n\"trees, \"\"bagged\"\"\",0.750000,0.500000\n\
             a|b,0.750000,0.500000\nnone,,\n"
        );
        let empty = Table {
            lines: vec![],
            ..table
        };
        assert_eq!(empty.markdown(), "### Means\n\nA note.\n\nNone.\n");
    }
}
