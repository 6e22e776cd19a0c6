use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor};

use super::tree::Tree;
use crate::model::StoredModel;
use crate::{Error, Result};

/// The nodes of all trees, one after the other, as a file has them.
pub(super) struct Columns {
    /// Nodes of each tree.
    sizes: Vec<f64>,
    values: Vec<f64>,
    features: Vec<f64>,
    right: Vec<f64>,
}

impl Columns {
    pub(super) fn take(stored: &mut StoredModel) -> Result<Self> {
        let mut column = |name| -> Result<Vec<f64>> {
            let column = stored.take(name, DType::F64)?;
            match column.rank() {
                1 => Ok(column.to_vec1()?),
                _ => Err(stored.wrong(Error::shape(name, "[nodes] or [trees]", &column))),
            }
        };
        Ok(Self {
            sizes: column(SIZES)?,
            values: column(VALUES)?,
            features: column(FEATURES)?,
            right: column(RIGHT)?,
        })
    }

    /// Of these.
    pub(super) fn of(trees: &[Tree]) -> Self {
        let column = |value: fn((f64, u32, u32)) -> f64| {
            let all = trees.iter().flat_map(|tree| tree.nodes().map(value));
            all.collect()
        };
        Self {
            sizes: trees.iter().map(|tree| tree.nodes().len() as f64).collect(),
            values: column(|node| node.0),
            features: column(|node| f64::from(node.1)),
            right: column(|node| f64::from(node.2)),
        }
    }

    /// By name.
    pub(super) fn tensors(self) -> Result<BTreeMap<String, Tensor>> {
        let columns = [
            (SIZES, self.sizes),
            (VALUES, self.values),
            (FEATURES, self.features),
            (RIGHT, self.right),
        ];
        let tensor = |(name, column): (&str, Vec<f64>)| {
            let len = column.len();
            let tensor = Tensor::from_vec(column, len, &Device::Cpu)?;
            Ok((name.to_string(), tensor))
        };
        columns.into_iter().map(tensor).collect()
    }

    /// So many trees, if they can have been grown on rows of so many features.
    pub(super) fn trees(&self, count: usize, features: usize) -> Result<Vec<Tree>> {
        if self.sizes.len() != count {
            let rule = "as many as the settings' trees";
            return Err(Error::config(SIZES, rule, self.sizes.len()));
        }
        let nodes = self.nodes()?;
        let mut rest = nodes.as_slice();
        let mut tree = |size: &f64| {
            let size = whole(SIZES, *size)? as usize;
            let rule = "the trees' shares of the nodes";
            let (own, others) = rest
                .split_at_checked(size)
                .ok_or_else(|| Error::config(SIZES, rule, size))?;
            rest = others;
            let tree = Tree::from_nodes(own.iter().copied(), features);
            let rule = "trees whose nodes follow their parents";
            tree.ok_or_else(|| Error::config("nodes", rule, "others"))
        };
        let trees = self.sizes.iter().map(&mut tree).collect::<Result<_>>()?;
        match rest.len() {
            0 => Ok(trees),
            left => Err(Error::config(
                "nodes",
                "each of a tree",
                format!("{left} left over"),
            )),
        }
    }

    fn nodes(&self) -> Result<Vec<(f64, u32, u32)>> {
        for (right_name, column) in [(FEATURES, &self.features), (RIGHT, &self.right)] {
            Error::check_lengths((VALUES, self.values.len()), (right_name, column.len()))?;
        }
        let columns = self.values.iter().zip(&self.features).zip(&self.right);
        let node = |((&value, &feature), &right)| {
            Ok((value, whole(FEATURES, feature)?, whole(RIGHT, right)?))
        };
        columns.map(node).collect()
    }
}

/// A number that is stored as f64 and must be an index.
fn whole(name: &'static str, value: f64) -> Result<u32> {
    let index = value as u32;
    if f64::from(index) == value {
        Ok(index)
    } else {
        Err(Error::config(name, "whole and in [0, 2^32)", value))
    }
}

const SIZES: &str = "sizes";
const VALUES: &str = "values";
const FEATURES: &str = "features";
const RIGHT: &str = "right";

#[cfg(test)]
mod tests {
    use super::*;

    /// Two trees, of one split and of none.
    fn columns() -> Columns {
        Columns {
            sizes: vec![3., 1.],
            values: vec![0.5, 1., 2., 0.],
            features: vec![1., 0., 0., 0.],
            right: vec![2., 0., 0., 0.],
        }
    }

    #[test]
    fn columns_are_the_forest_that_they_were_of() {
        let trees = columns().trees(2, 2).unwrap();
        let nodes = |tree: &Tree| tree.nodes().collect::<Vec<_>>();
        assert_eq!(nodes(&trees[0]), [(0.5, 1, 2), (1., 0, 0), (2., 0, 0)]);
        assert_eq!(nodes(&trees[1]), [(0., 0, 0)]);
    }

    #[test]
    fn columns_that_are_no_forest_name_what_is_wrong() {
        let named = |name: &'static str, change: &dyn Fn(&mut Columns)| {
            let mut columns = columns();
            change(&mut columns);
            let err = columns.trees(2, 2).unwrap_err();
            let found = match &err {
                Error::Config { name, .. } => name,
                Error::Length { right_name, .. } => right_name,
                _ => panic!("{err}"),
            };
            assert_eq!(*found, name, "{err}");
        };
        // Columns of unequal length, either way.
        named(FEATURES, &|c| c.features.truncate(3));
        named(FEATURES, &|c| c.features.push(0.));
        named(RIGHT, &|c| c.right.truncate(3));
        named(RIGHT, &|c| c.right.push(0.));
        named(FEATURES, &|c| c.values.truncate(3));
        // Numbers that are no index.
        for value in [0.5, -1., f64::NAN, f64::INFINITY, 2f64.powi(32)] {
            named(FEATURES, &|c| c.features[0] = value);
            named(RIGHT, &|c| c.right[0] = value);
            named(SIZES, &|c| c.sizes[0] = value);
        }
        // Indices beyond the end, backwards, and trees that are no share of the nodes.
        named("nodes", &|c| c.features[0] = 2.);
        named("nodes", &|c| c.right[0] = 3.);
        named("nodes", &|c| c.right[0] = 1.);
        named("nodes", &|c| c.sizes = vec![2., 2.]);
        named("nodes", &|c| c.sizes = vec![0., 4.]);
        named(SIZES, &|c| c.sizes = vec![3., 2.]);
        named(SIZES, &|c| c.sizes = vec![4.]);
        named(SIZES, &|c| c.sizes.push(1.));
        for value in [f64::NAN, f64::NEG_INFINITY] {
            named("nodes", &|c| c.values[0] = value);
        }
        named("nodes", &|c| c.values[3] = -1.);
        let left_over = |c: &mut Columns| {
            for column in [&mut c.values, &mut c.features, &mut c.right] {
                column.push(0.);
            }
        };
        named("nodes", &left_over);
    }
}
