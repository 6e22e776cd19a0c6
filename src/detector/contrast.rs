//! What contrastive losses are made of.

use candle_core::{D, DType, Device, Tensor};

use super::classifier::softplus;
use crate::{Error, Result};

/// Added to the squared length of a code: one of length 0 is like no other, with a gradient that is finite.
const LENGTH_OFFSET: f64 = 1e-12;

/// Smaller temperatures overflow f32, or nearly.
const LEAST_TEMPERATURE: f64 = 1e-3;

/// # Errors
/// [`Error::Config`] for a temperature that is not finite or below 0.001.
pub(super) fn check_temperature(temperature: f64) -> Result<()> {
    if temperature.is_finite() && temperature >= LEAST_TEMPERATURE {
        return Ok(());
    }
    let rule = "finite and at least 0.001";
    Err(Error::config("temperature", rule, temperature))
}

/// Codes of length 1, along the last dimension, so that products are cosine similarities.
pub(super) fn normalized(codes: &Tensor) -> Result<Tensor> {
    let squares = codes.sqr()?.sum_keepdim(D::Minus1)?;
    let lengths = squares.affine(1., LENGTH_OFFSET)?.sqrt()?;
    Ok(codes.broadcast_div(&lengths)?)
}

/// `log(mean of exp(x))` along the last dimension: no overflow, and never above the largest.
pub(super) fn log_mean_exp(xs: &Tensor) -> Result<Tensor> {
    if xs.elem_count() == 0 {
        // Of no samples there is no largest.
        return Ok(xs.sum(D::Minus1)?);
    }
    // Any shift gives the same value: the largest is taken without its gradient.
    let shift = xs.detach().max_keepdim(D::Minus1)?;
    let mean = xs.broadcast_sub(&shift)?.exp()?.mean(D::Minus1)?;
    Ok((mean.log()? + shift.squeeze(D::Minus1)?)?)
}

/// The softmax in which a similarity stands against others, of which there is one at least.
///
/// The logit of the probability is kept rather than the probability: `-log p` and `-log(1 - p)` keep their
/// digits where `p` is next to 0 or 1.
pub(super) struct Contrast {
    /// `log((1 - p) / p)`.
    against: Tensor,
}

impl Contrast {
    /// `own`: `[..]`, a similarity each over the temperature; `others`: `[.., n]`, those that it stands against.
    pub(super) fn new(own: &Tensor, others: &Tensor) -> Result<Self> {
        let count = others.dim(D::Minus1)? as f64;
        let others = log_mean_exp(others)?.affine(1., count.ln())?;
        Ok(Self {
            against: (others - own)?,
        })
    }

    /// `-log p`, averaged over all but the first dimension: `[batch]`.
    pub(super) fn normal(&self) -> Result<Tensor> {
        Ok(softplus(&self.against)?.mean(D::Minus1)?)
    }

    /// `-log(1 - p)`, averaged likewise.
    pub(super) fn anomalous(&self) -> Result<Tensor> {
        Ok(softplus(&self.against.neg()?)?.mean(D::Minus1)?)
    }
}

/// `[n, n]`, far below every similarity on the diagonal, else 0: what nothing is to be compared with is itself.
pub(super) fn without_itself(n: usize, dtype: DType, device: &Device) -> Result<Tensor> {
    Ok((Tensor::eye(n, dtype, device)? * -1e9)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Var;

    fn values(t: &Tensor) -> Vec<f64> {
        t.flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn a_code_of_length_zero_is_like_no_other_and_has_a_finite_gradient() {
        let codes = Var::new(&[[3f64, -4.], [0., 0.]], &Device::Cpu).unwrap();
        let unit = normalized(&codes).unwrap();
        let got = values(&unit);
        for (got, want) in got.into_iter().zip([0.6, -0.8, 0., 0.]) {
            assert!((got - want).abs() < 1e-12, "{got} {want}");
        }
        let grads = unit.sum_all().unwrap().backward().unwrap();
        assert!(
            values(grads.get(&codes).unwrap())
                .iter()
                .all(|g| g.is_finite())
        );
    }

    /// Against `-ln p` and `-ln(1 - p)` by hand, and where these would have lost all digits.
    #[test]
    fn losses_keep_their_digits_at_both_ends() {
        let own = Tensor::new(&[[0f64, 1.], [500., -500.], [30., -30.]], &Device::Cpu).unwrap();
        let others =
            Tensor::new(&[[[0f64], [0.]], [[0.], [0.]], [[0.], [0.]]], &Device::Cpu).unwrap();
        let contrast = Contrast::new(&own, &others).unwrap();
        let half = (2f64).ln();
        let e = (-1f64).exp().ln_1p();
        let want = [(half + e) / 2., 250., (30. + 2. * (-30f64).exp()) / 2.];
        for (got, want) in values(&contrast.normal().unwrap()).iter().zip(want) {
            assert!((got - want).abs() < 1e-12, "{got} {want}");
        }
        let want = [(half + e + 1.) / 2., 250., (30. + 2. * (-30f64).exp()) / 2.];
        for (got, want) in values(&contrast.anomalous().unwrap()).iter().zip(want) {
            assert!((got - want).abs() < 1e-12, "{got} {want}");
        }
    }

    #[test]
    fn what_stands_on_the_diagonal_takes_no_part() {
        let similarities = Tensor::new(&[[[9f64, 1.], [2., 9.]]], &Device::Cpu).unwrap();
        let mask = without_itself(2, DType::F64, &Device::Cpu).unwrap();
        let others = similarities.broadcast_add(&mask).unwrap();
        let own = Tensor::new(&[[1f64, 2.]], &Device::Cpu).unwrap();
        let loss = Contrast::new(&own, &others).unwrap().normal().unwrap();
        assert!((values(&loss)[0] - 2f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn temperatures_that_would_overflow_are_refused() {
        for wrong in [0., -1., 1e-4, f64::NAN, f64::INFINITY] {
            let err = check_temperature(wrong).unwrap_err();
            assert!(matches!(
                err,
                Error::Config {
                    name: "temperature",
                    ..
                }
            ));
        }
        check_temperature(0.01).unwrap();
    }
}
