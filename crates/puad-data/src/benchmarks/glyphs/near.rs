use crate::benchmarks::tasks::Task;

/// Unseen and seen kinds of each normal class, 0 to 9: what the test below computes.
const NEAR: [([u8; 2], [u8; 3]); 10] = [
    ([5, 6], [1, 2, 7]),
    ([3, 7], [0, 4, 6]),
    ([3, 7], [0, 4, 6]),
    ([5, 9], [0, 4, 6]),
    ([6, 8], [0, 1, 2]),
    ([3, 9], [1, 2, 7]),
    ([4, 8], [1, 2, 7]),
    ([1, 2], [0, 5, 6]),
    ([6, 9], [0, 1, 7]),
    ([3, 5], [1, 2, 6]),
];

/// Ten tasks on the glyphs, one a normal class, in which the unseen kinds lie on the normals' side of the seen
/// ones: what separates normals from seen anomalies leaves the unseen ones with the normals, so that a
/// detector has to know the normals themselves.
///
/// The distance of two classes is the Euclidean distance of their mean images (the default set of seed 0, 16 x
/// 16). Unseen are the two classes nearest to the normal one; seen are the three farthest of those from which
/// both unseen ones are farther than from the normal one. The other classes are in no set. The choice is frozen.
///
/// ```
/// use puad_data::benchmarks::glyphs;
///
/// let tasks = glyphs::near_tasks();
/// // Nines are normal: threes and fives are like them, ones, twos and sixes are not.
/// let nine = &tasks[9];
/// assert_eq!((nine.key(), &nine.unseen, &nine.seen), (9, &[3, 5].into(), &[1, 2, 6].into()));
/// ```
pub fn near_tasks() -> Vec<Task> {
    let task = |(normal, (unseen, seen)): (u8, ([u8; 2], [u8; 3]))| Task {
        normal: [normal].into(),
        seen: seen.into(),
        unseen: unseen.into(),
    };
    (0..).zip(NEAR).map(task).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::benchmarks::glyphs::{GlyphConfig, generate};

    /// Mean images of the default training set, in [0, 1].
    fn means() -> Vec<Vec<f64>> {
        let config = GlyphConfig::default();
        let images = generate(&config, 0).unwrap();
        let mut means = vec![vec![0.; config.size * config.size]; 10];
        for (i, &class) in images.train.labels().iter().enumerate() {
            let image = images.train.image(i).unwrap();
            let pixels = means[usize::from(class)].iter_mut().zip(image);
            let share = 1. / (255. * config.train_per_class as f64);
            pixels.for_each(|(mean, &pixel)| *mean += f64::from(pixel) * share);
        }
        means
    }

    #[test]
    fn the_tasks_are_chosen_by_distance() {
        let means = means();
        let distance = |a: u8, b: u8| -> f64 {
            let [a, b] = [a, b].map(|class| &means[usize::from(class)]);
            let squares = a.iter().zip(b).map(|(x, y)| (x - y).powi(2));
            squares.sum::<f64>().sqrt()
        };
        for task in near_tasks() {
            let normal = task.key();
            let mut others: Vec<u8> = (0..10).filter(|&class| class != normal).collect();
            others.sort_by(|&a, &b| distance(normal, a).total_cmp(&distance(normal, b)));
            let (unseen, rest) = others.split_at(2);
            let beyond = |&&seen: &&u8| {
                let mut unseen = unseen.iter();
                unseen.all(|&kind| distance(kind, normal) < distance(kind, seen))
            };
            let seen = rest.iter().rev().filter(beyond).take(3);
            assert_eq!(task.unseen, unseen.iter().copied().collect(), "{normal}");
            assert_eq!(task.seen, seen.copied().collect(), "{normal}");
            assert_eq!((task.seen.len(), task.unseen.len()), (3, 2));
        }
    }
}
