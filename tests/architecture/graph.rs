//! Circles and layers of the top-level modules.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::arrows::Arrow;

/// Who uses whom, with the first place that shows it.
pub struct Graph {
    uses: BTreeMap<String, BTreeMap<String, String>>,
}

impl Graph {
    /// Of all `modules`, also those without arrows.
    pub fn new(modules: impl IntoIterator<Item = String>, arrows: Vec<Arrow>) -> Self {
        let mut uses: BTreeMap<_, BTreeMap<_, _>> =
            modules.into_iter().map(|m| (m, BTreeMap::new())).collect();
        for Arrow { from, to, place } in arrows {
            uses.entry(to.clone()).or_default();
            let place_of = uses
                .entry(from)
                .or_default()
                .entry(to)
                .or_insert_with(|| place.clone());
            if place < *place_of {
                *place_of = place;
            }
        }
        Self { uses }
    }

    /// A shortest circle of each knot of modules that all reach each other, a line an arrow.
    pub fn circles(&self) -> Vec<String> {
        let knots: BTreeSet<_> = self.uses.keys().map(|module| self.knot(module)).collect();
        knots
            .iter()
            .filter_map(|knot| Some(self.tell(&self.shortest(knot)?, knot)))
            .collect()
    }

    /// One line a module, after all that use it: `module -> what it uses`.
    pub fn layers(&self) -> String {
        let heights = self.heights();
        let mut modules: Vec<_> = self.uses.iter().collect();
        modules.sort_by_key(|(module, _)| std::cmp::Reverse(heights[module.as_str()]));
        let mut text = String::new();
        for (module, _) in modules {
            let used = self.used(module);
            let arrow = if used.is_empty() { "" } else { " -> " };
            text += &format!("{module}{arrow}{}\n", used.join(", "));
        }
        text
    }

    /// What `module` uses.
    pub fn used(&self, module: &str) -> Vec<&str> {
        self.uses[module].keys().map(String::as_str).collect()
    }

    fn shortest<'a>(&'a self, knot: &BTreeSet<&'a str>) -> Option<Vec<&'a str>> {
        let circles = knot.iter().filter_map(|module| self.way(module, module));
        circles.min_by_key(|circle| (circle.len(), circle.clone()))
    }

    fn tell(&self, circle: &[&str], knot: &BTreeSet<&str>) -> String {
        let knot: Vec<_> = knot.iter().copied().collect();
        let mut text = circle.join(" -> ");
        if knot.len() + 1 > circle.len() {
            text += &format!(" (all of {} reach each other)", knot.join(", "));
        }
        for pair in circle.windows(2) {
            let place = &self.uses[pair[0]][pair[1]];
            text += &format!("\n    {} -> {}: {place}", pair[0], pair[1]);
        }
        text
    }

    /// `module` and all that it reaches and that reach it.
    fn knot<'a>(&'a self, module: &'a str) -> BTreeSet<&'a str> {
        let others = self.uses.keys().map(String::as_str);
        let mut knot: BTreeSet<_> = others
            .filter(|other| self.way(module, other).is_some() && self.way(other, module).is_some())
            .collect();
        knot.insert(module);
        knot
    }

    /// The shortest way by at least one arrow, both ends included.
    fn way<'a>(&'a self, from: &'a str, to: &str) -> Option<Vec<&'a str>> {
        let mut known = BTreeSet::new();
        let mut ways = VecDeque::from([vec![from]]);
        while let Some(way) = ways.pop_front() {
            for next in self.uses[*way.last()?].keys() {
                let way: Vec<_> = way.iter().copied().chain([next.as_str()]).collect();
                if next == to {
                    return Some(way);
                }
                if known.insert(next) {
                    ways.push_back(way);
                }
            }
        }
        None
    }

    /// The longest way down from each module; a knot counts as one.
    fn heights(&self) -> BTreeMap<&str, usize> {
        let mut heights: BTreeMap<&str, usize> =
            self.uses.keys().map(|m| (m.as_str(), 0)).collect();
        let mut before = BTreeMap::new();
        while before != heights {
            before = heights.clone();
            for (module, used) in &self.uses {
                let knot = self.knot(module);
                for used in used.keys().map(String::as_str) {
                    let height = heights[used] + usize::from(!knot.contains(used));
                    let own = heights.get_mut(module.as_str()).unwrap();
                    *own = height.max(*own);
                }
            }
        }
        heights
    }
}
