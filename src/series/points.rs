/// A score a point of a series, from the first one on that can have one.
#[derive(Clone, Debug, PartialEq)]
pub struct PointScores {
    pub(super) first: usize,
    pub(super) known: Vec<f64>,
}

impl PointScores {
    /// The first point with a score: those before are the past of the first window alone.
    pub fn first(&self) -> usize {
        self.first
    }

    /// Scores of the points from there on, to the end.
    pub fn known(&self) -> &[f64] {
        &self.known
    }

    /// That of a point; `None` for one without.
    pub fn get(&self, point: usize) -> Option<f64> {
        self.known.get(point.checked_sub(self.first)?).copied()
    }
}
