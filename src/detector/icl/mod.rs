//! ICL: which features go with which.

mod spec;
mod windows;

use candle_core::{DType, Device, ModuleT, Tensor, Var};
use candle_nn::{Init, VarBuilder};

use super::contrast::{Contrast, check_temperature, normalized, without_itself};
use super::scored_at_once;
use crate::explanation::Explanation;
use crate::{Error, NonNegativeLoss, Pass, Result, ops};
pub use spec::IclSpec;
use windows::Windows;

/// Numbers that are gathered at a time while nothing is trained: 16 MiB in f32.
const AT_ONCE: usize = 1 << 22;

/// ICL, internal contrastive learning: a window of consecutive features is to be told from the other windows
/// of the same sample by the features that it leaves.
///
/// With `a_j` window `j` of `m`, `b_j` its complement, codes `u_j = G(a_j)`, `v_j = F(b_j)`, and
/// `s_ji = cos(v_j, u_i) / t`,
///
/// `l = 1/m * sum over j of -log(exp(s_jj) / sum over i of exp(s_ji))`.
///
/// Windows slide over the features in a random order that is drawn with the parameters and kept with them
/// (`order`), so that it is the same when a sample is scored.
///
/// # References
/// Shenkar and Wolf, Anomaly detection for tabular data with internal contrastive learning, ICLR 2022.
///
/// ```
/// use puad::candle_core::{DType, Device, Tensor};
/// use puad::detector::Icl;
/// use puad::net::{Mlp, MlpConfig};
/// use puad::{NonNegativeLoss, Params};
///
/// let params = Params::new(0, DType::F32, &Device::Cpu);
/// // Five features in windows of two.
/// let inside = Mlp::new(&MlpConfig::new([2, 16, 8]), params.var_builder().pp("inside"))?;
/// let outside = Mlp::new(&MlpConfig::new([3, 16, 8]), params.var_builder().pp("outside"))?;
/// let detector = Icl::new([inside, outside], 5, Some(2), 0.01, params.var_builder())?;
/// let xs = Tensor::ones((4, 5), DType::F32, &Device::Cpu)?;
/// assert_eq!(detector.score(&xs)?.dims(), [4]);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Icl<E> {
    /// Of windows, and of their complements.
    encoders: [E; 2],
    windows: Windows,
    temperature: f64,
    /// A random number a feature, by which they are sorted.
    order: Var,
}

impl<E: ModuleT> Icl<E> {
    /// `encoders`: of windows, `[batch, window] -> [batch, code]`, and of their complements,
    /// `[batch, features - window] -> [batch, code]`. `window`: `None` takes as many features as the authors,
    /// 2 below 40 features, 10 up to 160, else all but 150. Takes `order` (`[features]`) from `vb`.
    ///
    /// # Errors
    /// [`Error::Config`] for fewer than 3 features, a window of 0 or all of them, or a temperature that is not
    /// finite or below 0.001; candle's error if `vb` holds another shape.
    pub fn new(
        encoders: [E; 2],
        features: usize,
        window: Option<usize>,
        temperature: f64,
        vb: VarBuilder<'_>,
    ) -> Result<Self> {
        check_temperature(temperature)?;
        let windows = Windows::new(features, window)?;
        let uniform = Init::Uniform { lo: 0., up: 1. };
        let order = vb.get_with_hints(features, "order", uniform)?;
        Ok(Self {
            encoders,
            windows,
            temperature,
            order: Var::from_tensor(&order)?,
        })
    }

    /// The features, counted from 0, in the order in which windows slide over them.
    ///
    /// # Errors
    /// Only what the tensor operations give.
    pub fn order(&self) -> Result<Vec<u32>> {
        // Read at every pass: a snapshot that is restored may hold another one.
        let keys = self.order.as_detached_tensor().to_device(&Device::Cpu)?;
        let keys: Vec<f64> = keys.to_dtype(DType::F64)?.to_vec1()?;
        let mut order: Vec<u32> = (0..keys.len() as u32).collect();
        order.sort_by(|&a, &b| keys[a as usize].total_cmp(&keys[b as usize]));
        Ok(order)
    }

    fn losses_of(&self, xs: &Tensor, indices: &[Tensor; 2], train: bool) -> Result<Tensor> {
        let (batch, count) = (xs.dim(0)?, self.windows.count());
        let widths = [self.windows.size, self.windows.left()];
        let code = |side: usize| {
            let parts = xs.index_select(&indices[side], 1)?;
            let parts = parts.reshape((batch * count, widths[side]))?;
            ops::mark_as(xs, &parts);
            let codes = normalized(&self.encoders[side].forward_t(&parts, train)?)?;
            let length = codes.dim(1)?;
            Ok::<_, Error>(codes.reshape((batch, count, length))?)
        };
        let (inside, outside) = (code(0)?, code(1)?);
        let alike = outside.matmul(&inside.transpose(1, 2)?.contiguous()?)?;
        let alike = (alike / self.temperature)?;
        let diagonal = Tensor::eye(count, alike.dtype(), alike.device())?;
        let own = alike.broadcast_mul(&diagonal)?.sum(2)?;
        let itself = without_itself(count, alike.dtype(), alike.device())?;
        Contrast::new(&own, &alike.broadcast_add(&itself)?)?.normal()
    }
}

impl<E: ModuleT> NonNegativeLoss for Icl<E> {
    fn per_sample(&self, xs: &Tensor, pass: &mut Pass<'_>) -> Result<Tensor> {
        let features = self.windows.features;
        if !matches!(xs.dims(), [_, width] if *width == features) {
            let expected = format!("[batch, {features}]");
            return Err(Error::shape("samples to cut into windows", expected, xs));
        }
        let indices = self.windows.indices(&self.order()?, xs.device())?;
        // All windows of a sample are `count * features` numbers.
        let some = (AT_ONCE / (self.windows.count() * features)).max(1);
        let batch = xs.dim(0)?;
        if pass.is_training() || batch <= some {
            return self.losses_of(xs, &indices, pass.is_training());
        }
        let starts = (0..batch).step_by(some);
        let parts = starts.map(|start| {
            let part = xs.narrow(0, start, some.min(batch - start))?;
            ops::mark_as(xs, &part);
            self.losses_of(&part, &indices, false)
        });
        Ok(Tensor::cat(&parts.collect::<Result<Vec<_>>>()?, 0)?)
    }

    fn score(&self, xs: &Tensor) -> Result<Tensor> {
        scored_at_once(self, xs)
    }

    /// The order of the features.
    fn buffers(&self) -> Vec<Var> {
        vec![self.order.clone()]
    }

    fn explain(&self, xs: &Tensor) -> Result<Option<Explanation>> {
        let score = |xs: &Tensor| self.per_sample(xs, &mut Pass::evaluation());
        Explanation::gradient_times_input(xs, score).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Params;
    use candle_core::Module;

    /// The first two numbers of a row, the second one 1 where there is none.
    struct FirstTwo;

    impl Module for FirstTwo {
        fn forward(&self, xs: &Tensor) -> candle_core::Result<Tensor> {
            match xs.dim(1)? {
                1 => Tensor::cat(&[xs, &xs.ones_like()?], 1),
                _ => xs.narrow(1, 0, 2),
            }
        }
    }

    fn detector(features: usize, window: usize, order: &[f64]) -> Icl<FirstTwo> {
        let params = Params::new(0, DType::F64, &Device::Cpu);
        let vb = params.var_builder();
        let icl = Icl::new([FirstTwo, FirstTwo], features, Some(window), 0.5, vb).unwrap();
        let order = Tensor::new(order, &Device::Cpu).unwrap();
        icl.order.set(&order).unwrap();
        icl
    }

    fn score(detector: &Icl<FirstTwo>, xs: &[[f64; 3]]) -> Vec<f64> {
        let xs = Tensor::from_slice(xs.as_flattened(), (xs.len(), 3), &Device::Cpu).unwrap();
        detector.score(&xs).unwrap().to_vec1().unwrap()
    }

    /// Features of one value make windows that nothing tells apart.
    #[test]
    fn windows_that_are_all_alike_cost_the_logarithm_of_their_number() {
        let score = score(&detector(3, 2, &[0.1, 0.2, 0.3]), &[[2.; 3], [-1.; 3]]);
        for loss in score {
            assert!((loss - 2f64.ln()).abs() < 1e-9, "{loss}");
        }
    }

    /// Windows of one feature, by the formula.
    #[test]
    fn losses_are_those_of_the_formula() {
        let x = [1., -2., 0.5];
        // Sorted: the second, the third, the first.
        let detector = detector(3, 1, &[0.9, 0.2, 0.3]);
        assert_eq!(detector.order().unwrap(), [1, 2, 0]);
        let sorted = [x[1], x[2], x[0]];
        let unit = |a: f64, b: f64| {
            let length = a.hypot(b);
            [a / length, b / length]
        };
        let inside = sorted.map(|a| unit(a, 1.));
        let outside = [
            unit(sorted[1], sorted[2]),
            unit(sorted[0], sorted[2]),
            unit(sorted[0], sorted[1]),
        ];
        let mut want = 0.;
        for (j, v) in outside.iter().enumerate() {
            let e = inside.map(|u| ((u[0] * v[0] + u[1] * v[1]) / 0.5).exp());
            want -= (e[j] / e.iter().sum::<f64>()).ln() / 3.;
        }
        let got = score(&detector, &[x])[0];
        assert!((got - want).abs() < 1e-9, "{got} {want}");
    }

    #[test]
    fn samples_of_another_width_are_an_error() {
        let xs = Tensor::zeros((2, 4), DType::F64, &Device::Cpu).unwrap();
        let err = detector(3, 2, &[0.; 3]).score(&xs).unwrap_err();
        assert!(matches!(err, Error::Shape { actual, .. } if actual == [2, 4]));
    }

    #[test]
    fn many_samples_are_taken_some_at_a_time_with_the_same_bits() {
        // 149 windows of 150 features: 187 samples at a time.
        let params = Params::new(0, DType::F32, &Device::Cpu);
        let icl = Icl::new(
            [FirstTwo, FirstTwo],
            150,
            Some(2),
            0.1,
            params.var_builder(),
        )
        .unwrap();
        let value = |i: usize| (i as f32 * 0.37).sin();
        let xs: Vec<f32> = (0..400 * 150).map(value).collect();
        let xs = Tensor::from_vec(xs, (400, 150), &Device::Cpu).unwrap();
        let bits = |t: Tensor| -> Vec<u32> {
            let values = t.to_vec1::<f32>().unwrap();
            values.into_iter().map(f32::to_bits).collect()
        };
        let all = bits(icl.score(&xs).unwrap());
        let indices = icl
            .windows
            .indices(&icl.order().unwrap(), &Device::Cpu)
            .unwrap();
        assert_eq!(all, bits(icl.losses_of(&xs, &indices, false).unwrap()));
    }
}
