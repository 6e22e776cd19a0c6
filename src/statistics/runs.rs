use std::ops::Range;

/// The runs of `true`, in order.
pub(crate) fn runs(flags: &[bool]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = vec![];
    for (at, _) in flags.iter().enumerate().filter(|(_, flag)| **flag) {
        match runs.last_mut() {
            Some(run) if run.end == at => run.end += 1,
            _ => runs.push(at..at + 1),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_in_order_and_apart() {
        let flags = [true, true, false, true, false, false, true];
        assert_eq!(runs(&flags), [0..2, 3..4, 6..7]);
        assert!(runs(&[false; 3]).is_empty());
        assert!(runs(&[]).is_empty());
    }
}
