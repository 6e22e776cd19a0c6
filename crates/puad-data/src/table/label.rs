use serde::{Deserialize, Serialize};

use crate::cell::{self, Cell};

/// What somebody found out about a row.
///
/// ```
/// use puad_data::table::{Group, Labels};
///
/// let labels = Labels::anomalous(["fraud", "theft"]);
/// assert_eq!(labels.group("theft"), Ok(Group::Anomalous));
/// assert_eq!(labels.group(""), Ok(Group::Unlabeled));
/// assert!(labels.group("ok").is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// Nobody looked, or nobody knows.
    Unlabeled,
    /// An anomaly.
    Anomalous,
    /// Normal, for sure.
    Normal,
}

/// What the values of a label column mean. Numbers are compared as numbers, words as they are written; a gap
/// is unlabeled unless `""` is named.
///
/// ```
/// use puad_data::table::{Group, Labels};
///
/// // Whoever was not found out is in no way normal.
/// let labels = Labels::anomalous(["1"]).unlabeled(["0"]);
/// assert_eq!(labels.group("0"), Ok(Group::Unlabeled));
/// assert_eq!(labels.group("1.0"), Ok(Group::Anomalous));
///
/// let checked = Labels::anomalous(["broken"]).normal(["ok"]).others(Group::Unlabeled);
/// assert_eq!(checked.group("to be looked at"), Ok(Group::Unlabeled));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Labels {
    /// Values of anomalies.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub anomalous: Vec<String>,
    /// Values of rows that are normal for sure.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub normal: Vec<String>,
    /// Values of rows that nobody knows of, beside gaps.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unlabeled: Vec<String>,
    /// What all other values mean; `None`: they are errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub others: Option<Group>,
}

impl Labels {
    /// These values are anomalies, gaps are unlabeled, and others errors.
    pub fn anomalous<W: Into<String>>(values: impl IntoIterator<Item = W>) -> Self {
        Self {
            anomalous: values.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }

    /// These values are normal.
    pub fn normal<W: Into<String>>(self, values: impl IntoIterator<Item = W>) -> Self {
        let normal = values.into_iter().map(Into::into).collect();
        Self { normal, ..self }
    }

    /// These values, and gaps, are unlabeled.
    pub fn unlabeled<W: Into<String>>(self, values: impl IntoIterator<Item = W>) -> Self {
        let unlabeled = values.into_iter().map(Into::into).collect();
        Self { unlabeled, ..self }
    }

    /// Values that are not named mean this.
    pub fn others(self, group: Group) -> Self {
        let others = Some(group);
        Self { others, ..self }
    }

    /// What a value means.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn group(&self, value: &str) -> Result<Group, &'static str> {
        let named = |values: &[String]| values.iter().any(|of| alike(of, value));
        let groups = [
            (&self.anomalous, Group::Anomalous),
            (&self.normal, Group::Normal),
            (&self.unlabeled, Group::Unlabeled),
        ];
        if let Some((_, group)) = groups.iter().find(|(values, _)| named(values)) {
            return Ok(*group);
        }
        match (cell::cell(value, b'.'), self.others) {
            (Cell::Missing, _) => Ok(Group::Unlabeled),
            (_, Some(group)) => Ok(group),
            (_, None) => Err(
                "labels must be values that are said to be anomalous, normal or unlabeled, or gaps: \
                 `Labels` says what they mean, and `others` what all others do",
            ),
        }
    }

    /// The first value that is named for two groups.
    pub(super) fn twice(&self) -> Option<&String> {
        let all = [&self.anomalous, &self.normal, &self.unlabeled];
        let all: Vec<&String> = all.into_iter().flatten().collect();
        let again = |(i, value): &(usize, &&String)| all[..*i].iter().any(|of| alike(of, value));
        all.iter().enumerate().find(again).map(|(_, value)| *value)
    }
}

/// 1.0 is 1, and true is TRUE.
fn alike(a: &str, b: &str) -> bool {
    let (a, b) = (cell::bare(a), cell::bare(b));
    let number = |text| match cell::cell(text, b'.') {
        Cell::Number(value) => Some(value),
        Cell::Missing | Cell::Text => None,
    };
    a == b || number(a).is_some_and(|value| number(b) == Some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_mean_what_is_said_of_them() {
        let labels = Labels::anomalous(["1"]).normal(["0", ""]);
        for (value, group) in [
            ("1", Ok(Group::Anomalous)),
            ("True", Ok(Group::Anomalous)),
            ("1.000", Ok(Group::Anomalous)),
            ("0", Ok(Group::Normal)),
            ("", Ok(Group::Normal)),
            ("NA", Ok(Group::Unlabeled)),
        ] {
            assert_eq!(labels.group(value), group, "{value}");
        }
        assert!(labels.group("2").is_err() && labels.group("one").is_err());
        let all = labels.others(Group::Anomalous);
        assert_eq!(all.group("2"), Ok(Group::Anomalous));
        assert_eq!(all.group("null"), Ok(Group::Unlabeled));
    }

    #[test]
    fn a_value_means_one_thing() {
        assert_eq!(Labels::anomalous(["1"]).normal(["0"]).twice(), None);
        let twice = Labels::anomalous(["1"]).unlabeled(["1.0"]);
        assert_eq!(twice.twice(), Some(&"1.0".to_string()));
    }
}
