use std::hint::select_unpredictable;

/// 16 bytes, so that a tree of 256 samples takes at most 8 KiB.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Node {
    /// A split's threshold; minus infinity in a leaf, which no sample lies below.
    pub(super) threshold: f64,
    /// The feature a split looks at; 0 in a leaf.
    pub(super) feature: u32,
    /// Index of a split's right child, and of a leaf itself: who arrived there stays. The left child
    /// follows its parent.
    pub(super) right: u32,
}

/// A binary tree of splits with a value in each leaf, its nodes in depth-first order.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
    /// Of each leaf; 0 of a split.
    pub(super) values: Vec<f64>,
    /// The most splits on the way to a leaf.
    depth: usize,
}

/// Rows that go down a tree side by side, each step of one hiding the latency of the others'.
const ABREAST: usize = 8;

impl Tree {
    /// `values`: of each leaf, 0 of a split.
    pub(super) fn of(mut nodes: Vec<Node>, mut values: Vec<f64>) -> Self {
        nodes.shrink_to_fit();
        values.shrink_to_fit();
        let depth = depth(&nodes);
        Self {
            nodes,
            values,
            depth,
        }
    }

    /// Of each split threshold, feature and right child; of each leaf its value, 0 and 0.
    pub(super) fn nodes(&self) -> impl ExactSizeIterator<Item = (f64, u32, u32)> + '_ {
        let parts = |(at, (node, value)): (usize, (&Node, &f64))| match node.right as usize {
            right if right == at => (*value, 0, 0),
            _ => (node.threshold, node.feature, node.right),
        };
        self.nodes.iter().zip(&self.values).enumerate().map(parts)
    }

    /// The tree that [`nodes`](Self::nodes) were of, or `None` if they are of no tree on samples of
    /// `width` features.
    pub(super) fn from_nodes(
        nodes: impl Iterator<Item = (f64, u32, u32)>,
        width: usize,
    ) -> Option<Self> {
        let parts: Vec<(f64, u32, u32)> = nodes.collect();
        // Children follow their parents, so that every path comes to an end, and have one.
        let fits = |(at, &(value, feature, right)): (usize, &(f64, u32, u32))| {
            let (to, feature) = (right as usize, feature as usize);
            let split = to > at + 1 && to < parts.len() && feature < width;
            let leaf = right == 0 && value >= 0.;
            value.is_finite() && (leaf || split)
        };
        if parts.is_empty() || !parts.iter().enumerate().all(fits) {
            return None;
        }
        let mut parents = vec![0u32; parts.len()];
        // What a split is to the root.
        parents[0] = 1;
        let splits = parts.iter().enumerate().filter(|(_, node)| node.2 != 0);
        for (at, &(_, _, right)) in splits {
            parents[at + 1] += 1;
            parents[right as usize] += 1;
        }
        if parents.iter().any(|&count| count != 1) {
            return None;
        }
        let node = |(at, &(value, feature, right)): (usize, &(f64, u32, u32))| match right {
            0 => (Node::leaf(at), value),
            _ => (Node::split(value, feature, right), 0.),
        };
        let (nodes, values) = parts.iter().enumerate().map(node).unzip();
        Some(Self::of(nodes, values))
    }

    /// Adds to each of `sums` the value of the leaf that its row ends in. `rows`: `[sums, width]`, row-major.
    pub(super) fn add_values<T: Copy + Into<f64>>(
        &self,
        rows: &[T],
        width: usize,
        sums: &mut [f64],
    ) {
        let groups = rows.chunks(ABREAST * width).zip(sums.chunks_mut(ABREAST));
        for (rows, sums) in groups {
            match <&mut [f64; ABREAST]>::try_from(&mut *sums) {
                Ok(sums) => self.descend(rows, width, sums),
                Err(_) => {
                    for (row, sum) in rows.chunks(width).zip(sums) {
                        self.descend(row, width, std::array::from_mut(sum));
                    }
                }
            }
        }
    }

    /// `N` rows, abreast.
    fn descend<T: Copy + Into<f64>, const N: usize>(
        &self,
        rows: &[T],
        width: usize,
        sums: &mut [f64; N],
    ) {
        let mut at = [0; N];
        for _ in 0..self.depth {
            for (i, at) in at.iter_mut().enumerate() {
                let node = self.nodes[*at as usize];
                let goes_left = rows[i * width + node.feature as usize].into() <= node.threshold;
                let left = *at + 1;
                *at = match N {
                    // Nothing to do meanwhile: a guess is right every other time.
                    1 if goes_left => left,
                    1 => node.right,
                    _ => select_unpredictable(goes_left, left, node.right),
                };
            }
        }
        for (sum, at) in sums.iter_mut().zip(at) {
            *sum += self.values[at as usize];
        }
    }
}

/// Children follow their parents.
fn depth(nodes: &[Node]) -> usize {
    let mut depths = vec![0; nodes.len()];
    for (at, node) in nodes.iter().enumerate() {
        let right = node.right as usize;
        if right != at {
            let below = depths[at] + 1;
            (depths[at + 1], depths[right]) = (below, below);
        }
    }
    depths.into_iter().max().unwrap_or(0)
}

impl Node {
    pub(super) fn leaf(at: usize) -> Self {
        Self::split(f64::NEG_INFINITY, 0, at as u32)
    }

    pub(super) fn split(threshold: f64, feature: u32, right: u32) -> Self {
        Self {
            threshold,
            feature,
            right,
        }
    }
}
