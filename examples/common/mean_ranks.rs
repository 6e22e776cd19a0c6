//! Ranks of methods over blocks.

/// Ranks from 1, the largest value's; equal values share the mean of theirs.
pub fn ranks(values: &[f64]) -> Vec<f64> {
    let count = |holds: &dyn Fn(&f64) -> bool| values.iter().filter(|v| holds(v)).count() as f64;
    let rank = |value: &f64| {
        let (above, same) = (count(&|v| v > value), count(&|v| v == value));
        above + (same + 1.) / 2.
    };
    values.iter().map(rank).collect()
}

/// Of each method over blocks of ranks, one block at least.
pub fn mean_ranks(blocks: &[Vec<f64>]) -> Vec<f64> {
    let methods = blocks.first().map_or(0, Vec::len);
    let sum = |method: usize| blocks.iter().map(|ranks| ranks[method]).sum::<f64>();
    (0..methods)
        .map(|method| sum(method) / blocks.len() as f64)
        .collect()
}
