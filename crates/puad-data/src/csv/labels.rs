//! The column of labels.

use crate::cell::{Cell, bare, cell};

/// Where labels are and what they mean.
pub(super) struct Labels {
    pub(super) column: usize,
    /// Texts of the classes; none if labels are numbers from 0 to 255.
    pub(super) classes: Vec<String>,
    /// The label of other texts.
    pub(super) rest: Option<u8>,
    pub(super) decimal: u8,
}

impl Labels {
    /// `None` for a sample without a label.
    ///
    /// # Errors
    /// The rule that the text breaks.
    pub(super) fn label(&self, text: &str) -> Result<Option<u8>, &'static str> {
        let text = bare(text);
        let value = cell(text, self.decimal);
        let is = |class: &String| match value {
            _ if class == text => true,
            // 1.0 is 1.
            Cell::Number(_) => cell(class, self.decimal) == value,
            _ => false,
        };
        if let Some(at) = self.classes.iter().position(is) {
            return Ok(at.try_into().ok());
        }
        match (value, self.rest) {
            (Cell::Missing, _) => Ok(None),
            (_, Some(rest)) => Ok(Some(rest)),
            (_, None) if !self.classes.is_empty() => Err(
                "labels must be one of the classes, or empty for unlabeled: `rest` is the label of others",
            ),
            (Cell::Number(value), _) if (0. ..=255.).contains(&value) && value.fract() == 0. => {
                Ok(Some(value as u8))
            }
            (Cell::Number(-1.), _) => {
                Err("labels of -1 are anomalies to some and normals to others: \
                 name the normals first in `classes`, such as [\"1\", \"-1\"] where -1 is an anomaly")
            }
            _ => Err(
                "labels must be integers from 0 to 255, true, false, or empty for unlabeled: \
                 name others in `classes`",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(classes: &[&str], rest: Option<u8>) -> Labels {
        Labels {
            column: 0,
            classes: classes.iter().map(ToString::to_string).collect(),
            rest,
            decimal: b'.',
        }
    }

    #[test]
    fn labels_as_people_write_them() {
        let plain = labels(&[], None);
        for (text, label) in [
            ("0", Some(0)),
            ("1.0", Some(1)),
            ("255", Some(255)),
            ("True", Some(1)),
            ("false", Some(0)),
            ("", None),
            ("NA", None),
        ] {
            assert_eq!(plain.label(text), Ok(label), "{text}");
        }
        for text in ["256", "-1", "0.5", "normal", "inf"] {
            assert!(plain.label(text).is_err(), "{text}");
        }
        assert!(plain.label("-1.0").unwrap_err().contains("classes"));
        let signs = labels(&["1", "-1"], None);
        assert_eq!(signs.label("-1.0"), Ok(Some(1)));
        assert_eq!(signs.label("+1"), Ok(Some(0)));
        let kinds = labels(&["normal."], Some(1));
        assert_eq!(kinds.label("normal."), Ok(Some(0)));
        assert_eq!(kinds.label("smurf."), Ok(Some(1)));
        assert_eq!(kinds.label(""), Ok(None));
        assert!(labels(&["ok"], None).label("okay").is_err());
    }
}
